//! A map payload made on the spot: a floor with pillars, as a binary glTF 2.0 file.

use serde_json::json;

/// `glTF`, little endian (glTF 2.0, 4.4.2).
const MAGIC: u32 = 0x4654_6C67;
const JSON_CHUNK: u32 = 0x4E4F_534A;
const BINARY_CHUNK: u32 = 0x004E_4942;

/// A floor of `side` metres with a pillar every five. Returns the bytes of a GLB file.
#[must_use]
pub(super) fn floor_plan(name: &str, side: u16) -> Vec<u8> {
    let mut positions: Vec<[f32; 3]> = Vec::new();
    let mut indices: Vec<u32> = Vec::new();
    let s = f32::from(side);
    slab(&mut positions, &mut indices, [0.0, -0.1, 0.0], [s, 0.0, s]);
    for column in (0..side).step_by(5) {
        for row in (0..side).step_by(5) {
            let (x, z) = (f32::from(column), f32::from(row));
            slab(&mut positions, &mut indices, [x, 0.0, z], [x + 0.4, 3.0, z + 0.4]);
        }
    }
    let mut binary: Vec<u8> = Vec::new();
    for position in &positions {
        for value in position {
            binary.extend_from_slice(&value.to_le_bytes());
        }
    }
    let index_offset = binary.len();
    for index in &indices {
        binary.extend_from_slice(&index.to_le_bytes());
    }
    let document = json!({
        "asset": { "version": "2.0", "generator": "metaseal" },
        "scene": 0,
        "scenes": [{ "nodes": [0] }],
        "nodes": [{ "mesh": 0, "name": name }],
        "meshes": [{ "primitives": [{ "attributes": { "POSITION": 0 }, "indices": 1 }] }],
        "accessors": [
            { "bufferView": 0, "componentType": 5126, "count": positions.len(), "type": "VEC3",
              "min": [0.0, -0.1, 0.0], "max": [s + 0.4, 3.0, s + 0.4] },
            { "bufferView": 1, "componentType": 5125, "count": indices.len(), "type": "SCALAR" },
        ],
        "bufferViews": [
            { "buffer": 0, "byteOffset": 0, "byteLength": index_offset, "target": 34962 },
            { "buffer": 0, "byteOffset": index_offset, "byteLength": binary.len() - index_offset, "target": 34963 },
        ],
        "buffers": [{ "byteLength": binary.len() }],
    });
    container(document.to_string().into_bytes(), binary)
}

/// Appends an axis-aligned box.
fn slab(positions: &mut Vec<[f32; 3]>, indices: &mut Vec<u32>, low: [f32; 3], high: [f32; 3]) {
    const FACES: [[u32; 3]; 12] = [
        [0, 2, 1],
        [1, 2, 3],
        [4, 5, 6],
        [5, 7, 6],
        [0, 1, 4],
        [1, 5, 4],
        [2, 6, 3],
        [3, 6, 7],
        [0, 4, 2],
        [2, 4, 6],
        [1, 3, 5],
        [3, 7, 5],
    ];
    let base = u32::try_from(positions.len()).unwrap_or(u32::MAX);
    for corner in 0..8usize {
        let pick = |axis: usize| if corner >> axis & 1 == 0 { low[axis] } else { high[axis] };
        positions.push([pick(0), pick(1), pick(2)]);
    }
    indices.extend(FACES.iter().flatten().map(|index| base + index));
}

fn container(mut document: Vec<u8>, mut binary: Vec<u8>) -> Vec<u8> {
    // Chunks end on four bytes: the JSON with spaces, the binary with zeros (glTF 2.0, 4.4.3).
    document.resize(document.len().next_multiple_of(4), b' ');
    binary.resize(binary.len().next_multiple_of(4), 0);
    let total = 12 + 8 + document.len() + 8 + binary.len();
    let mut bytes = Vec::with_capacity(total);
    let word = |bytes: &mut Vec<u8>, value: usize| {
        bytes.extend_from_slice(&u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes());
    };
    word(&mut bytes, MAGIC as usize);
    word(&mut bytes, 2);
    word(&mut bytes, total);
    for (kind, chunk) in [(JSON_CHUNK, &document), (BINARY_CHUNK, &binary)] {
        word(&mut bytes, chunk.len());
        word(&mut bytes, kind as usize);
        bytes.extend_from_slice(chunk);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_is_what_its_header_says() {
        let glb = floor_plan("museum", 20);
        let word = |at: usize| u32::from_le_bytes(glb[at..at + 4].try_into().expect("four bytes"));
        assert_eq!((word(0), word(4), word(8) as usize), (MAGIC, 2, glb.len()));
        let json_len = word(12) as usize;
        let document: serde_json::Value = serde_json::from_slice(&glb[20..20 + json_len]).expect("JSON");
        let binary = word(20 + json_len) as usize;
        assert_eq!(document["buffers"][0]["byteLength"], binary);
        assert_eq!(20 + json_len + 8 + binary, glb.len());
    }
}
