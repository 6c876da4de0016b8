//! Inputs made from good ones: bits, bytes and pieces changed, from a fixed seed.

/// Longest input, in bytes. Own value: beyond every size limit that a parser has, within memory.
const LONGEST: usize = 96 * 1024;
/// What parsers trip over.
const TOKENS: [&[u8]; 22] = [
    b"\0",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b".",
    b"=",
    b"&",
    b"%00",
    b"\\u0000",
    b"\xff\xfe",
    b"-1",
    b"9223372036854775808",
    b"1e400",
    b"null",
    b"true",
    b"eyJ",
    b"..",
    b"\r\n",
];

/// Draws inputs.
pub struct Mutator {
    seeds: Vec<Vec<u8>>,
    state: u64,
    drawn: usize,
}

impl Mutator {
    /// A mutator over good inputs. They are drawn unchanged first.
    #[must_use]
    pub const fn new(seeds: Vec<Vec<u8>>) -> Self {
        Self { seeds, state: 0x9E37_79B9_7F4A_7C15, drawn: 0 }
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        self.drawn += 1;
        if let Some(seed) = self.seeds.get(self.drawn - 1) {
            return seed.clone();
        }
        let mut input = match self.below(self.seeds.len().max(1) + 1) {
            0 => Vec::new(),
            index => self.seeds.get(index - 1).cloned().unwrap_or_default(),
        };
        for _ in 0..=self.below(6) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let to = (at + self.below(32)).min(input.len());
        match self.below(8) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.byte(),
            2 => drop(input.drain(at..to)),
            3 => {
                let token = TOKENS[self.below(TOKENS.len())];
                input.splice(at..at, token.iter().copied());
            }
            4 => {
                let piece = input[at..to].to_vec();
                for _ in 0..self.below(64) {
                    input.splice(at..at, piece.iter().copied());
                }
            }
            5 => input.truncate(at),
            6 => {
                let other = self.below(self.seeds.len().max(1));
                let tail = self.seeds.get(other).map_or(&[][..], |s| &s[s.len() / 2..]).to_vec();
                input.splice(at.., tail);
            }
            _ => {
                let fresh: Vec<u8> = (0..self.below(16)).map(|_| self.byte()).collect();
                input.splice(at..at, fresh);
            }
        }
    }

    fn byte(&mut self) -> u8 {
        self.random().to_le_bytes()[0]
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random() % bound.max(1) as u64).unwrap_or_default()
    }

    /// xorshift64*: fast and repeatable; nothing secret depends on it.
    fn random(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}
