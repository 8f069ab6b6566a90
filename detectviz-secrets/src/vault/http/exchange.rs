//! One request to one node.
use super::fault;
use crate::{
    schedule::LONGEST_LIFE,
    vault::failure::{Cause, Failure},
    wiped::Wiped,
};
use bytes::Bytes;
use detectviz_core::secret::Secret;
use http::{HeaderValue, Request, header};
use std::time::{Duration, SystemTime};
use zeroize::{Zeroize, Zeroizing};

/// The most that is read of one answer. Vault refuses requests above 32 MiB; secrets are a thousand times smaller.
pub(in crate::vault) const MAX_BODY: usize = 1 << 20;

/// What a node answered.
pub(in crate::vault) struct Answer {
    pub(in crate::vault) status: u16,
    pub(in crate::vault) body: Zeroizing<Vec<u8>>,
    pub(in crate::vault) location: Option<String>,
    pub(in crate::vault) retry_after: Option<Duration>,
    /// The node's clock.
    pub(in crate::vault) date: Option<SystemTime>,
}

/// Sends `request`, whose body is wiped when it was sent, and reads the answer whatever its status. `node` is how errors call
/// the one that is asked.
pub(super) async fn send(
    client: &reqwest::Client,
    request: Request<Vec<u8>>,
    token: Option<&Secret>,
    node: &str,
) -> Result<Answer, Failure> {
    let (mut head, body) = request.into_parts();
    if let Some(token) = token {
        head.headers.insert("x-vault-token", header_of(token)?);
    }
    if !body.is_empty() {
        let json = HeaderValue::from_static("application/json");
        head.headers.insert(header::CONTENT_TYPE, json);
    }
    let body = reqwest::Body::from(Bytes::from_owner(Zeroizing::new(body)));
    let request = reqwest::Request::try_from(Request::from_parts(head, body))
        .map_err(|_| Failure::new(Cause::Refused, "correct the path: it makes no URL"))?;
    let failed = |err: reqwest::Error| fault::of(&err, node);
    let mut response = client.execute(request).await.map_err(failed)?;
    let text = |name| {
        let value: Option<&HeaderValue> = response.headers().get(name);
        value.and_then(|value| value.to_str().ok().map(str::to_owned))
    };
    let mut answer = Answer {
        status: response.status().as_u16(),
        body: Zeroizing::default(),
        location: text(header::LOCATION),
        retry_after: text(header::RETRY_AFTER).and_then(|value| {
            value
                .parse()
                .ok()
                .map(Duration::from_secs)
                .map(|d| d.min(LONGEST_LIFE))
        }),
        date: text(header::DATE).and_then(|value| httpdate::parse_http_date(&value).ok()),
    };
    let said = response
        .content_length()
        .and_then(|n| usize::try_from(n).ok());
    if said.is_some_and(|said| said > MAX_BODY) {
        return Err(too_large(node));
    }
    let mut room = Wiped::with_capacity(said.unwrap_or(0));
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if room.len() + chunk.len() > MAX_BODY {
            return Err(too_large(node));
        }
        room.push(&chunk);
        // The rest of hyper's buffer may share it, and is then out of reach.
        if let Ok(mut chunk) = chunk.try_into_mut() {
            chunk.zeroize();
        }
    }
    answer.body = room.into_inner();
    Ok(answer)
}

/// The token as a header that is wiped with the request and left out of HPACK's table and of logs.
fn header_of(token: &Secret) -> Result<HeaderValue, Failure> {
    let bytes = Bytes::from_owner(Zeroizing::new(token.expose().to_vec()));
    let mut value = HeaderValue::from_maybe_shared(bytes).map_err(|_| {
        let remedy =
            "write a token that is one line of plain text: this one holds a control character";
        Failure::new(Cause::Refused, remedy)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn too_large(node: &str) -> Failure {
    let remedy = format!(
        "name a smaller secret, or look at what answers in place of Vault: the answer of {node} is larger than {} MiB",
        MAX_BODY >> 20
    );
    Failure::new(Cause::Malformed, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_makes_no_header_is_refused_and_not_shown() {
        assert!(header_of(&Secret::from("hvs.abc")).unwrap().is_sensitive());
        let err = header_of(&Secret::from("canary\n")).unwrap_err();
        assert!(!format!("{err} {err:?}").contains("canary"));
    }
}
