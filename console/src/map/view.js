// The map itself: drawn of lines, areas and circles of our own, with nothing from the internet.

import { GeoJSONSource, Map, NavigationControl, ScaleControl, setWorkerUrl } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import 'maplibre-gl/dist/maplibre-gl.css';
import { graticule } from './graticule.js';

setWorkerUrl(workerUrl);

const NOTHING = { type: 'FeatureCollection', features: [] };
const FONT = ['sans-serif'];

/** Colours of the pages, as the map needs them. */
function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    ground: of('--sunken'), line: of('--line'), text: of('--muted'), surface: of('--surface'),
    accent: of('--accent'), onAccent: of('--on-accent'), own: of('--warn'), good: of('--good'), strong: of('--text'),
  };
}

function styleOf(c) {
  const label = { 'text-font': FONT, 'text-size': 11 };
  const halo = { 'text-halo-color': c.ground, 'text-halo-width': 1.5 };
  return {
    version: 8,
    sources: {
      grid: { type: 'geojson', data: NOTHING },
      maps: { type: 'geojson', data: NOTHING },
      anchors: { type: 'geojson', data: NOTHING, cluster: true, clusterRadius: 42, clusterMaxZoom: 17 },
      chosen: { type: 'geojson', data: NOTHING },
    },
    layers: [
      { id: 'ground', type: 'background', paint: { 'background-color': c.ground } },
      { id: 'grid', type: 'line', source: 'grid', filter: ['==', ['get', 'kind'], 'line'], paint: { 'line-color': c.line, 'line-width': 1 } },
      { id: 'grid-south', type: 'symbol', source: 'grid', filter: ['==', ['get', 'kind'], 'south'], layout: { ...label, 'text-field': ['get', 'text'], 'text-anchor': 'bottom', 'text-offset': [0, -2.6] }, paint: { 'text-color': c.text, ...halo } },
      { id: 'grid-west', type: 'symbol', source: 'grid', filter: ['==', ['get', 'kind'], 'west'], layout: { ...label, 'text-field': ['get', 'text'], 'text-anchor': 'left', 'text-offset': [0.6, 0] }, paint: { 'text-color': c.text, ...halo } },
      { id: 'maps', type: 'fill', source: 'maps', paint: { 'fill-color': c.good, 'fill-opacity': 0.12 } },
      { id: 'maps-line', type: 'line', source: 'maps', paint: { 'line-color': c.good, 'line-width': 1.5 } },
      { id: 'maps-name', type: 'symbol', source: 'maps', layout: { ...label, 'text-size': 12.5, 'text-field': ['get', 'name'], 'text-anchor': 'center' }, paint: { 'text-color': c.good, ...halo } },
      { id: 'clusters', type: 'circle', source: 'anchors', filter: ['has', 'point_count'], paint: { 'circle-color': c.accent, 'circle-opacity': 0.9, 'circle-stroke-color': c.surface, 'circle-stroke-width': 2, 'circle-radius': ['interpolate', ['linear'], ['ln', ['get', 'point_count']], 0.7, 12, 3, 17, 6, 26, 9, 36] } },
      { id: 'cluster-count', type: 'symbol', source: 'anchors', filter: ['has', 'point_count'], layout: { ...label, 'text-size': 12, 'text-field': ['get', 'point_count_abbreviated'], 'text-allow-overlap': true }, paint: { 'text-color': c.onAccent } },
      { id: 'anchors', type: 'circle', source: 'anchors', filter: ['!', ['has', 'point_count']], paint: { 'circle-color': ['case', ['get', 'own'], c.own, c.accent], 'circle-opacity': ['case', ['get', 'active'], 1, 0.4], 'circle-radius': 6.5, 'circle-stroke-color': c.surface, 'circle-stroke-width': 2 } },
      { id: 'chosen', type: 'circle', source: 'chosen', paint: { 'circle-color': 'transparent', 'circle-radius': 12, 'circle-stroke-color': c.strong, 'circle-stroke-width': 2.5 } },
    ],
  };
}

/**
 * A map in `container`.
 * `onhover(anchorId | null, point)`, `onpick({ anchorId } | { mapId } | null)`, `onplace({ lon, lat })` while placing.
 */
export function createView(container, { onhover, onpick, onplace }) {
  const map = new Map({
    container,
    style: styleOf(colours()),
    center: [0, 20],
    zoom: 1,
    maxZoom: 23,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    renderWorldCopies: false,
    fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), 'top-right');
  map.addControl(new ScaleControl({ unit: 'metric' }), 'bottom-right');
  map.getCanvas().setAttribute('aria-label', 'Map of anchors and maps. Arrow keys move it, plus and minus zoom. The list beside holds the same.');

  const data = { maps: NOTHING, anchors: NOTHING, chosen: NOTHING };
  let placing = false;
  const put = (name) => {
    const source = map.getSource(name);
    if (source instanceof GeoJSONSource) source.setData(data[name]);
  };
  const set = (name, features) => {
    data[name] = features;
    put(name);
  };
  const drawGrid = () => {
    const b = map.getBounds();
    const grid = map.getSource('grid');
    if (grid instanceof GeoJSONSource) {
      grid.setData(graticule({ west: b.getWest(), south: b.getSouth(), east: b.getEast(), north: b.getNorth() }));
    }
  };
  map.on('style.load', () => {
    for (const name of Object.keys(data)) put(name);
    drawGrid();
  });
  map.on('moveend', drawGrid);
  map.on('resize', drawGrid);

  map.on('mousemove', (event) => {
    const found = map.isStyleLoaded() ? map.queryRenderedFeatures(event.point, { layers: ['anchors'] })[0] : undefined;
    map.getCanvas().style.cursor = placing ? 'crosshair' : found ? 'pointer' : '';
    onhover(found ? found.properties.id : null, event.point);
  });
  map.on('mouseout', () => onhover(null, null));
  map.on('click', async (event) => {
    if (placing) {
      onplace({ lon: event.lngLat.lng, lat: event.lngLat.lat });
      return;
    }
    const [found] = map.queryRenderedFeatures(event.point, { layers: ['clusters', 'anchors', 'maps'] });
    if (found?.layer.id === 'clusters') {
      const zoom = await map.getSource('anchors').getClusterExpansionZoom(found.properties.cluster_id);
      map.easeTo({ center: found.geometry.coordinates, zoom });
      return;
    }
    if (!found) onpick(null);
    else onpick(found.layer.id === 'anchors' ? { anchorId: found.properties.id } : { mapId: found.properties.id });
  });

  return {
    anchors: (features) => set('anchors', features),
    maps: (features) => set('maps', features),
    /** Rings a place; `null`: none. */
    choose: (at) =>
      set('chosen', at ? { type: 'FeatureCollection', features: [{ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: at } }] } : NOTHING),
    fit: (bounds, animate = true) => map.fitBounds(bounds, { padding: 48, maxZoom: 18, animate }),
    goTo: (at) => map.easeTo({ center: at, zoom: Math.max(map.getZoom(), 18.5) }),
    centre: () => ({ lon: map.getCenter().lng, lat: map.getCenter().lat }),
    placing: (on) => {
      placing = on;
      map.getCanvas().style.cursor = on ? 'crosshair' : '';
    },
    restyle: () => map.setStyle(styleOf(colours()), { diff: false }),
    /** For tests: whether everything that was given is drawn. */
    idle: () => new Promise((done) => (map.loaded() ? done() : map.once('idle', done))),
    project: (at) => map.project(at),
    remove: () => map.remove(),
  };
}
