// Meridians and parallels around what is in view: all that a map needs to be read without tiles.

/** Degrees between two lines, coarse to fine. */
const STEPS = [30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001];
/** Lines across the view, about. */
const WANTED = 6;

const stepFor = (span) => STEPS.find((step) => span / step >= WANTED) ?? STEPS.at(-1);

function degrees(value, step, [plus, minus]) {
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const text = Math.abs(value).toFixed(digits);
  return `${text}°${Number(text) === 0 ? '' : value > 0 ? plus : minus}`;
}

/** Lines and their labels as GeoJSON. */
export function graticule({ west, south, east, north }) {
  const step = stepFor(Math.max(east - west, (north - south) * 1.4));
  const features = [];
  const line = (coordinates) => features.push({ type: 'Feature', properties: { kind: 'line' }, geometry: { type: 'LineString', coordinates } });
  const label = (at, text, side) =>
    features.push({ type: 'Feature', properties: { kind: side, text }, geometry: { type: 'Point', coordinates: at } });
  const low = Math.max(south, -85);
  const high = Math.min(north, 85);
  for (let n = Math.floor(west / step); n * step <= east; n += 1) {
    const lon = n * step;
    line([[lon, low], [lon, high]]);
    label([lon, low], degrees(lon, step, 'EW'), 'south');
  }
  for (let n = Math.floor(low / step); n * step <= high; n += 1) {
    const lat = n * step;
    line([[west, lat], [east, lat]]);
    label([west, lat], degrees(lat, step, 'NS'), 'west');
  }
  return { type: 'FeatureCollection', features };
}
