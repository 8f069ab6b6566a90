//! Looking for a secret in what a program says, in every form that a program may say it.
use std::fmt::Write;

/// How bytes may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As they are.
    Plain,
    /// RFC 4648, section 4, at any offset.
    Base64,
    /// RFC 4648, section 5, at any offset.
    Base64Url,
    /// Two digits a byte.
    Hex,
    /// Percent-encoded: every byte that is not unreserved (RFC 3986).
    Url,
    /// A list of numbers, over any blanks.
    Numbers,
    /// A list of numbers of base 16.
    HexNumbers,
    /// As a literal of Rust or JSON.
    Escaped,
}

/// A secret that is looked for: nothing else looks like it.
///
/// It has two random halves of 16 letters and digits, which every escape leaves as they are, and between them what escapes
/// change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary(String);

// === impl Form ===

impl Form {
    /// Every form.
    pub const ALL: [Self; 8] = [
        Self::Plain,
        Self::Base64,
        Self::Base64Url,
        Self::Hex,
        Self::Url,
        Self::Numbers,
        Self::HexNumbers,
        Self::Escaped,
    ];

    /// Its name in a path.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::Hex => "hex",
            Self::Url => "url",
            Self::Numbers => "numbers",
            Self::HexNumbers => "hex-numbers",
            Self::Escaped => "escaped",
        }
    }

    /// Writes `bytes`.
    #[must_use]
    pub fn write(self, bytes: &[u8]) -> String {
        let each = |write: &dyn Fn(&mut String, u8)| {
            let mut out = String::new();
            bytes.iter().for_each(|byte| write(&mut out, *byte));
            out
        };
        let plain = String::from_utf8_lossy(bytes);
        match self {
            Self::Plain => plain.into_owned(),
            Self::Base64 => base64(bytes, b'+', b'/'),
            Self::Base64Url => base64(bytes, b'-', b'_'),
            Self::Hex => each(&|out, byte| put(out, format_args!("{byte:02x}"))),
            Self::Url => each(&|out, byte| match byte {
                b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
                byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
                byte => put(out, format_args!("%{byte:02X}")),
            }),
            Self::Numbers => format!("{bytes:?}"),
            Self::HexNumbers => format!("{bytes:#04x?}"),
            Self::Escaped => format!("{plain:?}"),
        }
    }

    /// What to look for, for bytes that may stand between others.
    fn needles(self, bytes: &[u8]) -> Vec<String> {
        match self {
            Self::Base64 | Self::Base64Url => {
                let shifted = (0..3).map(|offset| {
                    let shifted = [&vec![0; offset][..], bytes].concat();
                    let text = self.write(&shifted);
                    // What other bytes have a part in is cut off.
                    let (first, last) = ((offset * 8).div_ceil(6), shifted.len() * 8 / 6);
                    text[first..last].to_owned()
                });
                shifted.collect()
            }
            Self::Hex => vec![self.write(bytes)],
            Self::Numbers | Self::HexNumbers => {
                let text: String = self.write(bytes).split_whitespace().collect();
                vec![text.trim_matches(['[', ']', ',']).to_owned()]
            }
            Self::Escaped => {
                let text = self.write(bytes);
                vec![text[1..text.len() - 1].to_owned()]
            }
            Self::Plain | Self::Url => vec![self.write(bytes)],
        }
    }
}

// === impl Canary ===

impl Canary {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        let half = || format!("{:016x}", fastrand::u64(..));
        Self(format!("{}é/\"+ %={}", half(), half()))
    }

    /// The secret itself.
    #[must_use]
    pub fn plain(&self) -> &str {
        &self.0
    }

    /// The forms in which it, or one of its halves, stands in `said`.
    #[must_use]
    pub fn found_in(&self, said: &[u8]) -> Vec<Form> {
        let said = String::from_utf8_lossy(said);
        let lower = said.to_ascii_lowercase();
        let dense: String = lower.split_whitespace().collect();
        let dense = dense.replace("\\n", "");
        let halves = [self.0.as_str(), &self.0[..16], &self.0[self.0.len() - 16..]];
        let stands = |form: &Form| {
            let needles = halves.iter().flat_map(|half| form.needles(half.as_bytes()));
            let said = match form {
                Form::Numbers | Form::HexNumbers => dense.as_str(),
                Form::Hex => &lower,
                _ => &said,
            };
            needles.into_iter().any(|needle| said.contains(&needle))
        };
        Form::ALL.into_iter().filter(stands).collect()
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes everything");
}

fn base64(bytes: &[u8], plus: u8, slash: u8) -> String {
    let mut out = String::new();
    for part in bytes.chunks(3) {
        let byte = |n: usize| part.get(n).map_or(0, |byte| u32::from(*byte));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let six = u8::try_from(bits >> (18 - 6 * digit) & 63).unwrap_or_default();
            out.push(char::from(match six {
                _ if digit > part.len() => b'=',
                0..26 => b'A' + six,
                26..52 => b'a' + six - 26,
                52..62 => b'0' + six - 52,
                62 => plus,
                _ => slash,
            }));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_the_standards_say() {
        for (form, bytes, text) in [
            (Form::Base64, &b"f"[..], "Zg=="),
            (Form::Base64, b"foobar", "Zm9vYmFy"),
            (Form::Base64, b"\xff\xfe", "//4="),
            (Form::Base64Url, b"\xff\xfe", "__4="),
            (Form::Url, b"a/ ~", "a%2F%20~"),
            (Form::Numbers, b"ab", "[97, 98]"),
        ] {
            assert_eq!(form.write(bytes), text, "{form:?}");
        }
    }

    #[test]
    fn a_canary_is_found_in_every_form_wherever_it_stands() {
        let canary = Canary::random();
        for form in Form::ALL {
            for before in ["", "x", "xy", "user:"] {
                let whole = format!("{before}{}!", canary.plain());
                let said = format!("{{\"message\":\"{}\"}}", form.write(whole.as_bytes()));
                assert!(canary.found_in(said.as_bytes()).contains(&form), "{said}");
                let upper = said.to_uppercase();
                assert!(form != Form::Hex || canary.found_in(upper.as_bytes()).contains(&form));
            }
            let half = form.write(&canary.plain().as_bytes()[..16]);
            assert!(canary.found_in(half.as_bytes()).contains(&form), "{half}");
        }
        assert_eq!(canary.found_in(Canary::random().plain().as_bytes()), []);
        let pretty = format!("{:#?}", canary.plain().as_bytes());
        assert_eq!(canary.found_in(pretty.as_bytes()), [Form::Numbers]);
    }
}
