//! The answers that the transport gives itself: problem details after RFC 9457, in one place.
use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CONNECTION, CONTENT_TYPE},
};

/// A request that was not passed to the service, or whose answer is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    BadRequest,
    RequestTimeout,
    TooLarge,
    UriTooLong,
    HeadersTooLarge,
    Internal,
}

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

macro_rules! replies {
    ($($refusal:ident => $status:ident, $code:literal, $title:literal, $length:literal;)*) => {
        impl Refusal {
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$refusal),*];

            pub(super) fn status(self) -> StatusCode {
                match self {
                    $(Self::$refusal => StatusCode::$status,)*
                }
            }

            fn body(self) -> &'static str {
                match self {
                    $(Self::$refusal => concat!(
                        "{\"type\":\"about:blank\",\"title\":\"", $title, "\",\"status\":", $code, "}"
                    ),)*
                }
            }

            /// The whole response as HTTP/1 writes it, for a request that never became one.
            pub(super) fn raw(self) -> &'static [u8] {
                match self {
                    $(Self::$refusal => concat!(
                        "HTTP/1.1 ", $code, " ", $title, "\r\ncontent-type: application/problem+json\r\n",
                        "content-length: ", $length, "\r\nconnection: close\r\n\r\n",
                        "{\"type\":\"about:blank\",\"title\":\"", $title, "\",\"status\":", $code, "}"
                    ).as_bytes(),)*
                }
            }
        }
    };
}

replies! {
    BadRequest => BAD_REQUEST, "400", "Bad Request", 57;
    RequestTimeout => REQUEST_TIMEOUT, "408", "Request Timeout", 61;
    TooLarge => PAYLOAD_TOO_LARGE, "413", "Payload Too Large", 63;
    UriTooLong => URI_TOO_LONG, "414", "URI Too Long", 58;
    HeadersTooLarge => REQUEST_HEADER_FIELDS_TOO_LARGE, "431", "Request Header Fields Too Large", 77;
    Internal => INTERNAL_SERVER_ERROR, "500", "Internal Server Error", 67;
}

// === impl Refusal ===

impl Refusal {
    /// What to send where hyper refuses a head with the line `HTTP/1.1 <status>`.
    pub(super) fn of_status_line(line: &[u8]) -> Option<Self> {
        match line.strip_prefix(b"HTTP/1.1 ")?.get(..3)? {
            b"400" => Some(Self::BadRequest),
            b"414" => Some(Self::UriTooLong),
            b"431" => Some(Self::HeadersTooLarge),
            _ => None,
        }
    }

    /// `close`: whether to tell the client that the connection ends here.
    pub(super) fn response(self, close: bool) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from_static(self.body().as_bytes()));
        *response.status_mut() = self.status();
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM);
        if close {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reply_is_one_well_formed_response() {
        for refusal in Refusal::ALL {
            let raw = str::from_utf8(refusal.raw()).unwrap();
            let (head, body) = raw.split_once("\r\n\r\n").unwrap();
            assert!(
                head.contains(&format!("content-length: {}\r\n", body.len())),
                "{raw}"
            );
            assert_eq!(body, refusal.body());
            let json: serde_json::Value = serde_json::from_str(body).unwrap();
            let status = refusal.status();
            assert_eq!(json["status"], status.as_u16());
            assert_eq!(json["title"], status.canonical_reason().unwrap());
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status}")),
                "{head} {status}"
            );
        }
    }
}
