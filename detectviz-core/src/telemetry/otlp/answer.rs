//! What an answer of the Collector means, by the OTLP specification.
use super::state::Answer;
use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use std::time::{Duration, SystemTime};
use tonic::{Code, Status};

/// The longest text of a server that is repeated to people.
const SHOWN: usize = 200;

/// The answer to an export over HTTP. `wall` is the time now, for a `Retry-After` that is a date.
pub(super) fn http(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    wall: SystemTime,
) -> Answer {
    if status.is_success() {
        return accepted(body);
    }
    let why = format!("it answered {status}");
    match status.as_u16() {
        429 | 502 | 503 | 504 => Answer::Retryable {
            after: retry_after(headers, wall),
            why,
        },
        _ => Answer::Refused { why },
    }
}

/// The answer to an export over gRPC: the HTTP status, the headers, which hold the gRPC status when there is no body, and
/// the trailers, which hold it otherwise.
pub(super) fn grpc(
    status: StatusCode,
    headers: &HeaderMap,
    trailers: Option<&HeaderMap>,
    body: &[u8],
) -> Answer {
    let from = |map: &HeaderMap| Status::from_header_map(map);
    let Some(answer) = trailers.and_then(from).or_else(|| from(headers)) else {
        return without_grpc_status(status);
    };
    let code = answer.code();
    if code == Code::Ok {
        // One byte says whether the message is compressed, four say how long it is.
        return accepted(body.get(5..).unwrap_or_default());
    }
    let mut why = format!("it answered {code:?}");
    if !answer.message().is_empty() {
        why = format!("{why}: {}", shown(answer.message()));
    }
    let after = retry_info(answer.details());
    match code {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Answer::Retryable { after, why },
        Code::ResourceExhausted if after.is_some() => Answer::Retryable { after, why },
        _ => Answer::Refused { why },
    }
}

/// A proxy on the way answered; by gRPC's mapping of HTTP status codes, these four mean `UNAVAILABLE`.
fn without_grpc_status(status: StatusCode) -> Answer {
    let why = format!("it answered {status} without a gRPC status");
    match status.as_u16() {
        429 | 502 | 503 | 504 => Answer::Retryable { after: None, why },
        _ => Answer::Refused { why },
    }
}

/// The responses for spans and for metrics have one form. A body that is something else is not held against the server.
fn accepted(body: &[u8]) -> Answer {
    let partial = ExportTraceServiceResponse::decode(body)
        .ok()
        .and_then(|response| response.partial_success)
        .unwrap_or_default();
    Answer::Accepted {
        rejected: u64::try_from(partial.rejected_spans).unwrap_or(0),
        message: shown(&partial.error_message),
    }
}

/// The start of a text of the server, without control characters.
fn shown(text: &str) -> String {
    text.chars()
        .take(SHOWN)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A number of seconds or a date (RFC 9110 §10.2.3); what is neither is ignored.
fn retry_after(headers: &HeaderMap, wall: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(wall).unwrap_or_default())
}

/// The `RetryInfo` among the details of a gRPC status.
fn retry_info(details: &[u8]) -> Option<Duration> {
    let status = rpc::Status::decode(details).ok()?;
    let info = status
        .details
        .iter()
        .find(|any| any.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = rpc::RetryInfo::decode(info.value.as_slice())
        .ok()?
        .retry_delay
        .unwrap_or_default();
    let seconds = u64::try_from(delay.seconds).unwrap_or(0);
    let nanos = u32::try_from(delay.nanos).unwrap_or(0).min(999_999_999);
    Some(Duration::new(seconds, nanos))
}

/// The few messages of `google.rpc` that are read.
pub(super) mod rpc {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Status {
        #[prost(int32, tag = "1")]
        pub(crate) code: i32,
        #[prost(string, tag = "2")]
        pub(crate) message: String,
        #[prost(message, repeated, tag = "3")]
        pub(crate) details: Vec<Any>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Any {
        #[prost(string, tag = "1")]
        pub(crate) type_url: String,
        #[prost(bytes = "vec", tag = "2")]
        pub(crate) value: Vec<u8>,
    }

    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub(crate) struct RetryInfo {
        #[prost(message, optional, tag = "1")]
        pub(crate) retry_delay: Option<Delay>,
    }

    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub(crate) struct Delay {
        #[prost(int64, tag = "1")]
        pub(crate) seconds: i64,
        #[prost(int32, tag = "2")]
        pub(crate) nanos: i32,
    }
}
