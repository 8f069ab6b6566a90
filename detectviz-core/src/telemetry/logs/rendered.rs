//! Text that is rendered once and copied into many lines.
use super::{
    buf::Buf,
    caller::Caller,
    escape::{Quotes, escape},
    name::MAX_NAME,
    number,
    output::LineFormat,
};
use tracing::Level;

/// A piece of a line.
#[derive(Clone, Debug)]
pub(in super::super) struct Rendered {
    len: usize,
    /// Filled up, so that it can be copied whole; spaces when the piece is long.
    short: [u8; SHORT],
    long: Box<[u8]>,
}

/// Where an event comes from, level, place and target, as every line of it says.
#[derive(Clone, Debug)]
pub(in super::super) struct Origin {
    json: Rendered,
    text: Rendered,
}

/// Up to this length a piece is copied in a few vectors, and above by a call.
const SHORT: usize = 64;

// === impl Rendered ===

impl Rendered {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut short = [b' '; SHORT];
        let long = match short.get_mut(..bytes.len()) {
            Some(start) => {
                start.copy_from_slice(bytes);
                Box::default()
            }
            None => bytes.into(),
        };
        Self {
            len: bytes.len(),
            short,
            long,
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn put(&self, out: &mut Buf) {
        if self.len <= SHORT {
            out.put_some(&self.short, self.len);
        } else {
            out.put(&self.long);
        }
    }
}

// === impl Origin ===

impl Origin {
    pub(in super::super) fn new(level: Level, target: &str, caller: Caller<'_>) -> Self {
        let rendered = |format| {
            let mut out = Buf::new();
            write_origin(&mut out, format, level, target, caller);
            Rendered::new(out.as_slice())
        };
        Self {
            json: rendered(LineFormat::Json),
            text: rendered(LineFormat::Text),
        }
    }

    #[inline]
    pub(super) fn put(&self, out: &mut Buf, format: LineFormat) {
        match format {
            LineFormat::Json => self.json.put(out),
            LineFormat::Text => self.text.put(out),
        }
    }
}

/// Appends what stands between the timestamp and the message. Returns whether all of it was written.
pub(super) fn write_origin(
    out: &mut Buf,
    format: LineFormat,
    level: Level,
    target: &str,
    caller: Caller<'_>,
) -> bool {
    let mut complete = true;
    let place = |out: &mut Buf, quotes| {
        let complete = escape(out, caller.file(), quotes, MAX_NAME);
        out.push(b':');
        number::u64(out, u64::from(caller.line()));
        complete
    };
    match format {
        LineFormat::Json => {
            out.put(b"\",\"level\":\"");
            out.put(level.as_str().as_bytes());
            out.put(b"\",\"caller\":\"");
            complete &= place(out, Quotes::Escaped);
            out.put(b"\",\"target\":\"");
            complete &= escape(out, target, Quotes::Escaped, MAX_NAME);
            out.put(b"\",\"message\":");
        }
        LineFormat::Text => {
            out.push(b' ');
            out.put(level.as_str().as_bytes());
            out.push(b' ');
            complete &= escape(out, target, Quotes::Plain, MAX_NAME);
            out.push(b' ');
            complete &= place(out, Quotes::Plain);
            out.put(b": ");
        }
    }
    complete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_any_length_is_copied_exactly() {
        for len in [0, 1, SHORT - 1, SHORT, SHORT + 1, 1000] {
            let bytes = (0..len).map(|at| b'a' + (at % 26) as u8);
            let bytes = bytes.collect::<Vec<_>>();
            let (piece, mut out) = (Rendered::new(&bytes), Buf::new());
            piece.put(&mut out);
            out.push(b'!');
            assert_eq!((piece.len(), &out.as_slice()[..len]), (len, &bytes[..]));
            assert_eq!(out.len(), len + 1);
        }
    }
}
