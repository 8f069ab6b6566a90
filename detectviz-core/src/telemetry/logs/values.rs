//! The values of a line whose shape is known.
use super::{
    buf::Buf,
    early::EarlyFields,
    key::{Key, ROOM as KEY},
    line::{FIELD, MAX_END, MAX_LINE, MAX_VALUE, put_end, with_texts},
    number,
    output::LineFormat,
    redact::{MASK, masked},
    scan::{self, BEHIND, Found},
    template::StaticFields,
    value::{SHORT, quoted},
};
use std::{
    io::Write,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

/// Adds fields to a line of a [template](super::LineTemplate), in the order of the calls.
///
/// The names are not compared with each other, nor with those of the template: they must be distinct, which debug builds
/// check. Values under a [`Key`] that announces a secret are masked, and so are the secrets inside texts. What does not fit
/// into the 64 KiB of a line is left out, and the line marked `"truncated":true`.
#[derive(Debug)]
pub struct Values<'a> {
    out: &'a mut Buf,
    start: usize,
    /// Where the last field has begun at the latest.
    limit: usize,
    format: LineFormat,
    truncated: bool,
}

/// Texts up to this length are copied before they are looked at closely.
const LONG: usize = 1024;

// === impl Values ===

impl<'a> Values<'a> {
    pub(super) fn new(out: &'a mut Buf, start: usize, format: LineFormat, truncated: bool) -> Self {
        Self {
            out,
            start,
            limit: start + MAX_LINE - MAX_END - KEY - FIELD,
            format,
            truncated,
        }
    }

    /// A number.
    #[inline]
    pub fn u64(&mut self, key: &Key, value: u64) {
        self.short(key, |room| number::unsigned(room, value));
    }

    /// A number.
    #[inline]
    pub fn i64(&mut self, key: &Key, value: i64) {
        self.short(key, |room| number::signed(room, value));
    }

    /// `true` or `false`.
    #[inline]
    pub fn bool(&mut self, key: &Key, value: bool) {
        self.short(key, |room| {
            room[..5].copy_from_slice(if value { b"true " } else { b"false" });
            5 - usize::from(value)
        });
    }

    /// A time in milliseconds with three decimals, `1.230`: microseconds is what the clock is good for.
    #[inline]
    pub fn millis(&mut self, key: &Key, value: Duration) {
        self.short(key, |room| number::thousandths(room, micros(value)));
    }

    /// A time in whole microseconds.
    #[inline]
    pub fn micros(&mut self, key: &Key, value: Duration) {
        self.short(key, |room| number::unsigned(room, micros(value)));
    }

    /// A text, cut after 16 KiB or half of the room that is left in the line.
    #[inline]
    pub fn str(&mut self, key: &Key, value: &str) {
        let bytes = value.as_bytes();
        if bytes.len() > LONG || !self.copy(key, bytes) {
            self.quoted(key, value);
        }
    }

    /// An address and its port, `10.0.0.1:41820` or `[2001:db8::1]:443`. An IPv4 address within an IPv6 address is shown as
    /// the former.
    #[inline]
    pub fn addr(&mut self, key: &Key, value: SocketAddr) {
        match value.ip().to_canonical() {
            IpAddr::V4(ip) => {
                self.short(key, |room| number::address(room, ip.octets(), value.port()));
            }
            IpAddr::V6(ip) => self.addr_v6(key, ip, value.port()),
        }
    }

    /// A value that is JSON already, on one line. It is neither looked at nor escaped: a mistake in it spoils the line, and a
    /// secret is shown.
    #[inline]
    pub fn raw(&mut self, key: &Key, json: &str) {
        debug_assert!(json.bytes().all(|b| b >= b' '), "JSON on one line: {json}");
        if self.may_write(key, json.len()) {
            self.key(key);
            self.out.put(json.as_bytes());
        }
    }

    /// Bytes that should be text, such as a header's value: what is not UTF-8 is left out, field and all. Else as
    /// [`str`](Self::str).
    #[inline]
    pub fn bytes(&mut self, key: &Key, value: &[u8]) {
        if value.len() > LONG || !self.copy(key, value) {
            self.bytes_slowly(key, value);
        }
    }

    /// Fields that were rendered ahead of the line.
    #[inline]
    pub fn early(&mut self, fields: &EarlyFields) {
        self.truncated |= fields.truncated;
        if self.out.len() + fields.text.len() > self.limit {
            self.truncated = true;
        } else {
            self.out.put(fields.text.as_slice());
        }
    }

    /// Fields that were rendered before.
    #[inline]
    pub fn fields(&mut self, fields: &StaticFields) {
        self.truncated |= fields.truncated;
        if self.out.len() + fields.json.len() > self.limit {
            self.truncated = true;
        } else {
            fields.json.put(self.out);
        }
    }

    /// Ends the line.
    #[inline]
    pub(super) fn end(self) {
        put_end(self.out, self.format, self.truncated);
        debug_assert!(
            self.format == LineFormat::Text || is_distinct(&self.out.as_slice()[self.start..]),
            "two fields of one name: {}",
            String::from_utf8_lossy(&self.out.as_slice()[self.start..])
        );
    }

    /// A text that has nothing to escape or to mask; `false` when it has, and nothing is written then.
    #[inline]
    fn copy(&mut self, key: &Key, text: &[u8]) -> bool {
        if !self.may_write(key, text.len()) {
            return true;
        }
        let (rendered, len) = key.rendered(self.format);
        let room = self.out.room(KEY + text.len() + 2 + BEHIND);
        room[..KEY].copy_from_slice(rendered);
        let room = &mut room[len..];
        room[0] = b'"';
        let found = scan::copy(&mut room[1..], text);
        let plain = found.nothing() || is_shown_as_it_is(found, text);
        if plain {
            room[1 + text.len()] = b'"';
            self.out.keep(len + text.len() + 2);
        }
        plain
    }

    #[inline(never)]
    fn bytes_slowly(&mut self, key: &Key, value: &[u8]) {
        if let Ok(text) = str::from_utf8(value) {
            self.quoted(key, text);
        }
    }

    pub(super) fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// A field whose value is short and needs no closer look.
    #[inline]
    fn short(&mut self, key: &Key, write: impl FnOnce(&mut [u8; number::ROOM]) -> usize) {
        if !self.may_write(key, 0) {
            return;
        }
        let (rendered, len) = key.rendered(self.format);
        self.out.fill(|room: &mut [u8; KEY + number::ROOM]| {
            room[..KEY].copy_from_slice(rendered);
            let value = room.get_mut(len..).and_then(|room| room.first_chunk_mut());
            len + value.map_or(0, write)
        });
    }

    /// Whether a field may follow whose value takes `length` bytes and a little more. When it may not, what has to stand
    /// there is written.
    #[inline]
    fn may_write(&mut self, key: &Key, length: usize) -> bool {
        let fits = self.out.len() + length <= self.limit;
        if !fits || key.is_secret {
            self.leave_out(key, fits);
            return false;
        }
        true
    }

    #[cold]
    fn leave_out(&mut self, key: &Key, fits: bool) {
        if fits {
            self.key(key);
            // Writing to memory does not fail.
            let _ = write!(self.out, "\"{MASK}\"");
        } else {
            self.truncated = true;
        }
    }

    fn key(&mut self, key: &Key) {
        let (rendered, len) = key.rendered(self.format);
        self.out.put_some(rendered, len);
    }

    #[cold]
    fn addr_v6(&mut self, key: &Key, ip: Ipv6Addr, port: u16) {
        if self.may_write(key, 0) {
            self.key(key);
            // Writing to memory does not fail.
            let _ = write!(self.out, "\"[{ip}]:{port}\"");
        }
    }

    /// A text that is long, or has something to escape or to mask.
    #[inline(never)]
    fn quoted(&mut self, key: &Key, value: &str) {
        if !self.may_write(key, 0) {
            return;
        }
        self.key(key);
        // Half of what is left: so that one value does not take the room of all others.
        let room = (self.limit + FIELD).saturating_sub(self.out.len());
        let limit = MAX_VALUE.min(room / 2).max(SHORT);
        let out = &mut *self.out;
        self.truncated |= !with_texts(|texts| quoted(out, value, false, texts.for_masked(), limit));
    }
}

/// Whether a text that was copied can stay, although there is something in it.
#[inline(never)]
fn is_shown_as_it_is(found: Found, text: &[u8]) -> bool {
    let is_unmasked =
        |text| with_texts(|texts| std::ptr::eq(masked(text, false, texts.for_masked()), text));
    found.is_harmless(text) || !found.escapes() && str::from_utf8(text).is_ok_and(is_unmasked)
}

/// Up to 584,542 years.
#[inline]
fn micros(time: Duration) -> u64 {
    let whole = time.as_secs().saturating_mul(1_000_000);
    whole.saturating_add(time.subsec_micros().into())
}

/// Whether no two fields of a JSON line have one name; the first 64 are looked at.
fn is_distinct(line: &[u8]) -> bool {
    let mut names = [""; 64];
    let mut count = 0;
    let (mut depth, mut at) = (0, 0);
    let mut expects_name = false;
    while at < line.len() && count < names.len() {
        match line[at] {
            b'"' => {
                let start = at + 1;
                at = start;
                while at < line.len() && line[at] != b'"' {
                    at += if line[at] == b'\\' { 2 } else { 1 };
                }
                if depth == 1 && expects_name {
                    let name = line.get(start..at).unwrap_or_default();
                    let name = str::from_utf8(name).unwrap_or_default();
                    if names[..count].contains(&name) {
                        return false;
                    }
                    names[count] = name;
                    count += 1;
                }
                expects_name = false;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        if depth == 1 && matches!(line.get(at), Some(b'{' | b',')) {
            expects_name = true;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_fields_of_one_name_are_noticed() {
        for (line, distinct) in [
            (r#"{"a":1,"b":"a","c":{"a":1},"d":["a","a"]}"#, true),
            (r#"{"a":"\"a\",\"b","b":1}"#, true),
            (r#"{"a":1,"b":2,"a":3}"#, false),
            (r#"{"a":{"x":1},"b":[1],"b":3}"#, false),
            ("{", true),
        ] {
            assert_eq!(is_distinct(line.as_bytes()), distinct, "{line}");
        }
    }
}
