//! Forms with tokens in them, as OAuth 2.0 and STS take them.
use super::{Answer, Failure, Wire};
use bytes::Bytes;
use detectviz_core::secret::SecretErrorKind;
#[cfg(any(feature = "gcp", feature = "azure"))]
use http::HeaderValue;
use http::{Method, Request, header};
use zeroize::Zeroizing;

/// What most servers answer.
#[cfg(any(feature = "gcp", feature = "azure"))]
pub(crate) const JSON: &str = "application/json";

/// A token as a header, which says nothing of itself.
///
/// # Errors
/// `Malformed` where it is no text of one line; `what` names it.
#[cfg(any(feature = "gcp", feature = "azure"))]
pub(crate) fn bearer(what: &str, token: &str) -> Result<HeaderValue, Failure> {
    let text = Zeroizing::new(format!("Bearer {token}"));
    let value = HeaderValue::from_str(&text);
    let mut value = value.map_err(|_| {
        let remedy = format!("correct {what}: it is not one line of text");
        Failure::new(SecretErrorKind::Malformed, remedy)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Sends `fields` as a form (RFC 6749, appendix B) to `address`, and wants to read `accept`.
///
/// # Errors
/// `Malformed` for an address that is none, which `key` names; `Unavailable` without an answer.
pub(crate) async fn post_form(
    wire: &Wire,
    key: &str,
    address: &str,
    accept: &'static str,
    fields: &[(&str, &str)],
) -> Result<Answer, Failure> {
    let length = fields
        .iter()
        .map(|(name, value)| name.len() + 3 * value.len() + 2);
    // A token is in it: never grown, wiped when it has been sent.
    let mut form = Zeroizing::new(Vec::with_capacity(length.sum()));
    for (at, (name, value)) in fields.iter().enumerate() {
        if at > 0 {
            form.push(b'&');
        }
        form.extend_from_slice(name.as_bytes());
        form.push(b'=');
        encode(&mut form, value);
    }
    let request = Request::builder()
        .method(Method::POST)
        .uri(address)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, accept)
        .body(Bytes::from_owner(form));
    let request = request.map_err(|_| {
        let remedy = format!("correct `{key}`: it is no address");
        Failure::new(SecretErrorKind::Malformed, remedy)
    })?;
    Ok(wire.send(request).await?)
}

/// `value` as it stands in a query (RFC 3986, section 2.1).
#[cfg(feature = "azure")]
pub(crate) fn encoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(3 * value.len());
    encode(&mut bytes, value);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encode(form: &mut Vec<u8>, value: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            form.push(byte);
        } else {
            form.extend_from_slice(&[
                b'%',
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]);
        }
    }
}
