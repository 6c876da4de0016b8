//! PEM (RFC 7468), as far as keys and certificates in files need it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::KeyError;

/// Characters of a line (RFC 7468 2).
const LINE: usize = 64;

/// The first block with this label.
///
/// # Errors
/// [`KeyError::Malformed`] when there is none or its text is not base64.
pub fn decode(text: &str, label: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    decode_all(text, label)?.into_iter().next().map(Zeroizing::new).ok_or(KeyError::Malformed)
}

/// Every block with this label, in order; blocks with other labels are passed over.
///
/// # Errors
/// [`KeyError::Malformed`] when a block does not end or its text is not base64.
pub fn decode_all(text: &str, label: &str) -> Result<Vec<Vec<u8>>, KeyError> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim_end);
    while lines.by_ref().any(|line| line == begin) {
        let mut body = Zeroizing::new(String::new());
        loop {
            match lines.next() {
                Some(line) if line == end => break,
                Some(line) => body.push_str(line),
                None => return Err(KeyError::Malformed),
            }
        }
        blocks.push(STANDARD.decode(body.as_bytes()).map_err(|_| KeyError::Malformed)?);
    }
    Ok(blocks)
}

/// One block.
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> String {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = String::with_capacity(body.len() + body.len() / LINE + 2 * label.len() + 40);
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_by_label() {
        let text = format!("preamble\n{}{}{}", encode("A", &[1; 100]), encode("B", b"b"), encode("A", b""));
        assert_eq!(decode_all(&text, "A").unwrap(), vec![vec![1; 100], vec![]]);
        assert_eq!(*decode(&text, "B").unwrap(), b"b");
        assert!(text.lines().all(|line| line.len() <= LINE));
        assert!(decode(&text.replace('\n', "\r\n"), "B").is_ok());
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for (what, text) in [
            ("nothing", ""),
            ("another label", "-----BEGIN B-----\nYg==\n-----END B-----\n"),
            ("no end", "-----BEGIN A-----\nYg==\n"),
            ("end of another label", "-----BEGIN A-----\nYg==\n-----END B-----\n"),
            ("not base64", "-----BEGIN A-----\n*\n-----END A-----\n"),
        ] {
            assert_eq!(decode(text, "A"), Err(KeyError::Malformed), "{what}");
        }
    }
}
