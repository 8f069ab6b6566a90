//! The calls that vaultrs lacks, or that it makes of plain strings where a secret is sent.
//!
//! vaultrs has no `sys/leases` and no `sys/internal/ui/mounts`, and its types of answers drop the lease of what they hold, so answers
//! are read by our own [`envelope`](super::envelope).
use super::http::Call;
use detectviz_core::secret::Secret;
use rustify::{
    endpoint::Endpoint,
    enums::{RequestMethod, RequestType, ResponseType},
    errors::ClientError,
};
use zeroize::Zeroizing;

/// A call of any path.
pub(super) struct Raw {
    method: RequestMethod,
    path: String,
    query: Option<String>,
    body: Zeroizing<Vec<u8>>,
}

/// A JSON object of strings that is wiped; serde_json would leave copies behind while it grows.
#[derive(Default)]
pub(super) struct Body(Vec<(&'static str, Zeroizing<Vec<u8>>)>);

// === impl Raw ===

impl Raw {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self {
            method: RequestMethod::GET,
            path: path.into(),
            query: None,
            body: Zeroizing::default(),
        }
    }

    pub(super) fn post(path: impl Into<String>, body: &Body) -> Self {
        Self {
            method: RequestMethod::POST,
            path: path.into(),
            query: None,
            body: body.json(),
        }
    }

    pub(super) fn call(self) -> Call {
        Call::of(self)
    }
}

impl Endpoint for Raw {
    type Response = ();
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        self.path.clone()
    }

    fn method(&self) -> RequestMethod {
        self.method.clone()
    }

    fn query(&self) -> Result<Option<String>, ClientError> {
        Ok(self.query.clone())
    }

    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        Ok(Some(self.body.to_vec()))
    }
}

// === impl Body ===

impl Body {
    pub(super) fn text(self, key: &'static str, value: &str) -> Self {
        self.bytes(key, value.as_bytes())
    }

    /// Adds a secret, which is text.
    pub(super) fn secret(self, key: &'static str, value: &Secret) -> Self {
        self.bytes(key, value.expose())
    }

    fn bytes(mut self, key: &'static str, value: &[u8]) -> Self {
        self.0.push((key, Zeroizing::new(value.to_vec())));
        self
    }

    /// The object, in a buffer that never grows.
    fn json(&self) -> Zeroizing<Vec<u8>> {
        // A byte takes six at most, as `\u00XX`.
        let room: usize = self
            .0
            .iter()
            .map(|(key, value)| key.len() + value.len() * 6 + 6)
            .sum();
        let mut out = Zeroizing::new(Vec::with_capacity(room + 2));
        out.push(b'{');
        for (at, (key, value)) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(b"\":\"");
            value.iter().for_each(|byte| escape(&mut out, *byte));
            out.push(b'"');
        }
        out.push(b'}');
        out
    }
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        0..0x20 => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
        _ => out.push(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_the_json_that_it_stands_for() {
        let odd = "a\"b\\c\nd\u{1}ä";
        let body = Body::default()
            .text("role", odd)
            .secret("jwt", &Secret::from("x"));
        let json = body.json();
        let read: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(read, serde_json::json!({"role": odd, "jwt": "x"}));
        assert_eq!(&Body::default().json()[..], b"{}");
    }
}
