//! HTTP/2 frames by hand (RFC 9113), for peers that no library would be.

/// Connection preface and empty SETTINGS.
pub(crate) fn preface(settings: &[(u16, u32)]) -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let mut payload = Vec::new();
    for (name, value) in settings {
        payload.extend_from_slice(&name.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    }
    bytes.extend(frame(4, 0, 0, &payload));
    bytes
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A complete GET.
pub(crate) fn get(stream: u32, path: &str) -> Vec<u8> {
    request(stream, path, &[])
}

/// A complete GET with further header fields.
pub(crate) fn request(stream: u32, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = vec![0x82, 0x87]; // :method GET, :scheme https
    block.push(0x04); // :path, literal without indexing
    string(&mut block, path);
    block.push(0x01); // :authority
    string(&mut block, "localhost");
    for (name, value) in fields {
        block.push(0x00);
        string(&mut block, name);
        string(&mut block, value);
    }
    frame(1, 0x05, stream, &block) // END_STREAM, END_HEADERS
}

/// RST_STREAM with CANCEL.
pub(crate) fn reset(stream: u32) -> Vec<u8> {
    frame(3, 0, stream, &8_u32.to_be_bytes())
}

fn string(block: &mut Vec<u8>, text: &str) {
    // RFC 7541 5.1 with a prefix of 7 bits, no Huffman coding.
    let mut length = text.len();
    if length < 127 {
        block.push(u8::try_from(length).expect("short"));
    } else {
        block.push(127);
        length -= 127;
        while length >= 128 {
            block.push(u8::try_from(length % 128 + 128).expect("byte"));
            length /= 128;
        }
        block.push(u8::try_from(length).expect("byte"));
    }
    block.extend_from_slice(text.as_bytes());
}
