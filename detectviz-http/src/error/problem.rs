//! Problem details for HTTP APIs, RFC 9457.
use super::{Refusal, status_of};
use bytes::Bytes;
use detectviz_core::{
    error::cause_ref,
    telemetry::context::{TraceId, current},
};
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde::{Serialize, Serializer};
use std::{borrow::Cow, error::Error};

/// An answer that says what went wrong, for machines and people.
///
/// The trace id of the current request is taken along as the extension member `trace_id`.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: Cow<'static, str>,
    title: Cow<'static, str>,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<Cow<'static, str>>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "as_hexadecimal"
    )]
    trace_id: Option<TraceId>,
}

/// Answers with `status` and nothing more: the problem of the current request in its shortest form.
#[must_use]
pub fn problem(status: StatusCode) -> Response<Full<Bytes>> {
    Problem::new(status).into_response()
}

// === impl Problem ===

impl Problem {
    /// A problem that its status describes: `type` is `about:blank` and `title` is the reason phrase.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self {
            kind: "about:blank".into(),
            title: status.canonical_reason().unwrap_or("Error").into(),
            status,
            detail: None,
            instance: None,
            trace_id: current(|slot| slot.map(|slot| slot.context.trace_id())),
        }
    }

    /// The answer to `err`: its status from the table, and as detail only what a [`Refusal`] says is safe to show.
    #[must_use]
    pub fn of(err: &(dyn Error + 'static)) -> Self {
        let status = status_of(err);
        let problem = Self::new(status);
        match cause_ref::<Refusal>(err) {
            Some(refusal) if refusal.status() == status => problem.detail(refusal.detail().clone()),
            _ => problem,
        }
    }

    /// A URI that names this kind of problem, and its title, which is the same for all problems of the kind.
    #[must_use]
    pub fn kind(
        mut self,
        uri: impl Into<Cow<'static, str>>,
        title: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.kind = uri.into();
        self.title = title.into();
        self
    }

    /// What went wrong this time. The client reads it: no text of an internal error belongs here.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// A URI that names this occurrence.
    #[must_use]
    pub fn instance(mut self, uri: impl Into<Cow<'static, str>>) -> Self {
        self.instance = Some(uri.into());
        self
    }

    /// The trace of the request, where the [slot](detectviz_core::telemetry::context::Slot) is not in place.
    #[must_use]
    pub fn trace_id(mut self, trace_id: TraceId) -> Self {
        self.trace_id = Some(trace_id);
        self
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The response: `application/problem+json`, not to be stored by any cache.
    #[must_use]
    pub fn into_response(self) -> Response<Full<Bytes>> {
        // Strings and a number always serialize.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn as_number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

fn as_hexadecimal<S: Serializer>(id: &Option<TraceId>, serializer: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => serializer.collect_str(id),
        None => serializer.serialize_none(),
    }
}
