//! Lines of a stream, each of bounded length: whoever sends one without end costs no memory.

use std::io::{self, BufRead};

use api_types::bulk::MAX_LINE;

/// A line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// As it came.
    Whole(&'a [u8]),
    /// Longer than [`MAX_LINE`]; it was read over.
    TooLong,
}

/// Reads lines, and knows how many bytes they took.
#[derive(Debug)]
pub struct Lines<R> {
    from: R,
    line: Vec<u8>,
    read: u64,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `from`.
    pub fn new(from: R) -> Self {
        Self { from, line: Vec::new(), read: 0 }
    }

    /// Bytes that were read so far, ends of lines included.
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// The next line; `None` at the end. The last one may lack its end.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let (mut any, mut too_long) = (false, false);
        loop {
            let buffer = self.from.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            // One byte more than a line may have: a carriage return, which goes.
            if self.line.len() + part.len() > MAX_LINE + 1 {
                too_long = true;
                self.line.clear();
            } else if !too_long {
                self.line.extend_from_slice(part);
            }
            let taken = part.len() + usize::from(end.is_some());
            self.from.consume(taken);
            self.read += taken as u64;
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        let too_long = too_long || self.line.len() > MAX_LINE;
        Ok(Some(if too_long { Line::TooLong } else { Line::Whole(&self.line) }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8], buffer: usize) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, bytes));
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push(match line {
                Line::Whole(line) => Some(line.to_vec()),
                Line::TooLong => None,
            });
        }
        assert_eq!(lines.bytes_read(), bytes.len() as u64);
        found
    }

    #[test]
    fn lines_end_where_they_end() {
        let longest = vec![b'x'; MAX_LINE];
        let too_long = vec![b'x'; MAX_LINE + 1];
        let with_end = |line: &[u8]| [line, b"\r\nafter"].concat();
        #[rustfmt::skip] // a table stays a table
        type Row = (&'static str, Vec<u8>, Vec<Option<Vec<u8>>>);
        let rows: [Row; 7] = [
            ("nothing", vec![], vec![]),
            ("no end", b"a".to_vec(), vec![Some(b"a".to_vec())]),
            ("an end", b"a\n".to_vec(), vec![Some(b"a".to_vec())]),
            (
                "an empty line",
                b"a\n\nb\n".to_vec(),
                vec![Some(b"a".to_vec()), Some(vec![]), Some(b"b".to_vec())],
            ),
            ("returns", b"a\r\nb\r".to_vec(), vec![Some(b"a".to_vec()), Some(b"b".to_vec())]),
            ("the longest", with_end(&longest), vec![Some(longest.clone()), Some(b"after".to_vec())]),
            ("one more", with_end(&too_long), vec![None, Some(b"after".to_vec())]),
        ];
        for (what, bytes, expected) in rows {
            assert!(all(&bytes, 8_192) == expected, "{what}");
        }
        let endless = vec![b'x'; 4 * MAX_LINE];
        assert_eq!(all(&endless, 4_096), [None]);
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_text(text in "[a\n]{0,60}", buffer in 1_usize..9) {
            let expected: Vec<_> = text.lines().map(|line| Some(line.as_bytes().to_vec())).collect();
            prop_assert_eq!(all(text.as_bytes(), buffer), expected);
        }
    }
}
