// From what the views answer to what a map draws.

const DEGREE_M = 111_320;
/** Corners of a drawn circle. */
const CORNERS = 48;

export const anchorFeatures = (anchors) => ({
  type: 'FeatureCollection',
  features: anchors
    .filter((one) => one.lon !== undefined && one.lat !== undefined)
    .map((one) => ({
      type: 'Feature',
      id: one.anchorId,
      properties: { id: one.anchorId, own: one.own, active: one.active, service: one.serviceId },
      geometry: { type: 'Point', coordinates: [one.lon, one.lat] },
    })),
});

export const mapFeatures = (maps) => ({
  type: 'FeatureCollection',
  features: maps.flatMap((one) =>
    ringsOf(one.coverage).map((ring) => ({
      type: 'Feature',
      properties: { id: one.mapId, name: one.name ?? `map ${one.mapId}` },
      geometry: { type: 'Polygon', coordinates: [ring] },
    })),
  ),
});

/** The geographic areas of a `ServiceArea` as rings. */
export function ringsOf(coverage) {
  const areas = coverage?.geoServAr?.geoArs ?? [];
  return areas.map(ringOf).filter(Boolean);
}

function ringOf(area) {
  if (area.pointList) {
    const ring = area.pointList.map((point) => [point.lon, point.lat]);
    return [...ring, ring[0]];
  }
  if (!area.point) return null;
  const radius = area.uncertainty ?? area.uncertaintyEllipse?.semiMajor ?? ((area.innerRadius ?? 0) + (area.uncertaintyRadius ?? 0) || 20);
  const across = radius / (DEGREE_M * Math.cos((area.point.lat * Math.PI) / 180));
  return Array.from({ length: CORNERS + 1 }, (_, n) => {
    const angle = (2 * Math.PI * n) / CORNERS;
    return [area.point.lon + across * Math.cos(angle), area.point.lat + (radius / DEGREE_M) * Math.sin(angle)];
  });
}

/** West, south, east, north of everything; `null` of nothing. */
export function boundsOf(anchors, maps) {
  const points = [
    ...anchors.filter((one) => one.lon !== undefined).map((one) => [one.lon, one.lat]),
    ...maps.flatMap((one) => ringsOf(one.coverage).flat()),
  ];
  if (points.length === 0) return null;
  let [west, south, east, north] = [180, 90, -180, -90];
  for (const [lon, lat] of points) {
    west = Math.min(west, lon);
    east = Math.max(east, lon);
    south = Math.min(south, lat);
    north = Math.max(north, lat);
  }
  return [[west, south], [east, north]];
}
