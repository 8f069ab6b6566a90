//! An HTTP/2 client that sends and reads single frames (RFC 9113), for what a client library would be too polite to do.
use crate::{http1::is_timeout, wait::BOUND};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
};

/// What a client says first.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Kinds of frames, RFC 9113 §6.
pub mod kind {
    /// §6.1
    pub const DATA: u8 = 0;
    /// §6.2
    pub const HEADERS: u8 = 1;
    /// §6.4
    pub const RST_STREAM: u8 = 3;
    /// §6.5
    pub const SETTINGS: u8 = 4;
    /// §6.7
    pub const PING: u8 = 6;
    /// §6.8
    pub const GOAWAY: u8 = 7;
    /// §6.9
    pub const WINDOW_UPDATE: u8 = 8;
    /// §6.10
    pub const CONTINUATION: u8 = 9;
}

/// `END_STREAM` of DATA and HEADERS, `ACK` of SETTINGS and PING.
pub const END_STREAM: u8 = 0x1;
/// See [`END_STREAM`].
pub const ACK: u8 = 0x1;
/// The headers end with this frame.
pub const END_HEADERS: u8 = 0x4;

/// Error codes, RFC 9113 §7.
pub mod code {
    /// A graceful end.
    pub const NO_ERROR: u32 = 0;
    /// The peer broke the protocol.
    pub const PROTOCOL_ERROR: u32 = 1;
    /// Flow control was broken.
    pub const FLOW_CONTROL_ERROR: u32 = 3;
    /// A frame came for a stream that is closed.
    pub const STREAM_CLOSED: u32 = 5;
    /// A frame has a wrong size.
    pub const FRAME_SIZE_ERROR: u32 = 6;
    /// Headers cannot be decompressed.
    pub const COMPRESSION_ERROR: u32 = 9;
    /// The peer does what costs too much.
    pub const ENHANCE_YOUR_CALM: u32 = 11;
}

/// A connection.
#[derive(Debug)]
pub struct Frames(TcpStream);

/// A frame.
#[derive(Debug)]
pub struct Frame {
    /// One of [`kind`].
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// The stream, 0 for the connection.
    pub stream: u32,
    /// What it carries.
    pub payload: Vec<u8>,
}

// === impl Frames ===

impl Frames {
    /// Connects, and sends the preface with empty settings.
    ///
    /// # Errors
    /// As `connect` and `write`.
    pub fn open(addr: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect_timeout(&addr, BOUND)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(BOUND))?;
        stream.set_write_timeout(Some(BOUND))?;
        stream.write_all(PREFACE)?;
        let mut this = Self(stream);
        this.send(kind::SETTINGS, 0, 0, &[])?;
        Ok(this)
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// As `write`: the other end may have closed.
    pub fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        self.0.write_all(&frame(kind, flags, stream, payload))
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// As `write`.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// `GET` of `path` on `stream`.
    ///
    /// # Errors
    /// As `write`.
    pub fn get(&mut self, stream: u32, path: &str) -> io::Result<()> {
        let block = get(path);
        self.send(kind::HEADERS, END_STREAM | END_HEADERS, stream, &block)
    }

    /// The next frame; `None` when the connection is closed.
    ///
    /// # Panics
    /// When nothing comes within [`BOUND`].
    pub fn next_frame(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.read(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).ok()?];
        self.read(&mut payload)?;
        Some(Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
            payload,
        })
    }

    /// Skips to the next frame that `wanted` accepts; `None` when the connection is closed first.
    pub fn find(&mut self, wanted: impl Fn(&Frame) -> bool) -> Option<Frame> {
        loop {
            let frame = self.next_frame()?;
            if wanted(&frame) {
                return Some(frame);
            }
        }
    }

    /// Skips to the headers of `stream`.
    ///
    /// # Panics
    /// When the connection is closed first.
    pub fn status(&mut self, stream: u32) -> u16 {
        let headers = self.find(|f| f.kind == kind::HEADERS && f.stream == stream);
        headers.expect("a response").status()
    }

    fn read(&mut self, into: &mut [u8]) -> Option<()> {
        match self.0.read_exact(into) {
            Err(err) if is_timeout(&err) => panic!("no frame within {BOUND:?}"),
            read => read.ok(),
        }
    }
}

// === impl Frame ===

impl Frame {
    /// The last stream and the error code of a GOAWAY.
    #[must_use]
    pub fn goaway(&self) -> (u32, u32) {
        (self.number(0) & 0x7fff_ffff, self.number(4))
    }

    /// The error code of a RST_STREAM.
    #[must_use]
    pub fn reset(&self) -> u32 {
        self.number(0)
    }

    /// The status of a response, which comes first; those of RFC 7541's static table only, 0 for any other.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.payload.first() {
            Some(0x88) => 200,
            Some(0x89) => 204,
            Some(0x8c) => 400,
            Some(0x8d) => 404,
            Some(0x8e) => 500,
            _ => 0,
        }
    }

    fn number(&self, at: usize) -> u32 {
        let bytes = self.payload.get(at..at + 4);
        bytes.map_or(u32::MAX, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }
}

/// The bytes of a frame.
///
/// # Panics
/// When the payload is longer than a frame can be.
#[must_use]
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload");
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The header block of `GET http://test` and `path`, with nothing added to the dynamic table.
///
/// # Panics
/// When the path is longer than 126 bytes.
#[must_use]
pub fn get(path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x86];
    block.extend(literal(1, "test"));
    block.extend(literal(4, path));
    block
}

/// The header block of `POST http://test` and `path`, likewise.
///
/// # Panics
/// When the path is longer than 126 bytes.
#[must_use]
pub fn post(path: &str) -> Vec<u8> {
    let mut block = get(path);
    block[0] = 0x83;
    block
}

/// A header with its own name.
///
/// # Panics
/// When one of them is longer than 126 bytes.
#[must_use]
pub fn header(name: &str, value: &str) -> Vec<u8> {
    let mut block = vec![0];
    block.extend(text(name));
    block.extend(text(value));
    block
}

/// A header whose name is that of an entry of the static table.
fn literal(name: u8, value: &str) -> Vec<u8> {
    let mut block = vec![name];
    block.extend(text(value));
    block
}

fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).ok().filter(|length| *length < 127);
    let mut bytes = vec![length.expect("a short text")];
    bytes.extend(text.bytes());
    bytes
}
