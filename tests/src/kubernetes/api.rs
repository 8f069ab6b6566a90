//! Requests and their answers: <https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/>.
use super::{
    access::Attributes,
    fault::Fault,
    server::{Peer, Shared},
    status,
    stream::{self, Body, Scope},
    world::{Answer, World, partial},
};
use bytes::Bytes;
use detectviz_core::error::BoxError;
use futures_util::{StreamExt, stream as streams};
use http::{HeaderMap, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::{Value, json};
use std::{collections::HashMap, future::pending, io, sync::Arc, time::Duration};

/// What a path asks for.
enum Target {
    Version,
    Namespaces(Option<String>),
    Secrets(String),
    Secret(String, String),
    Other,
}

/// A request as it is understood.
struct Asked {
    verb: &'static str,
    target: Target,
    query: HashMap<String, String>,
    metadata: bool,
}

pub(super) async fn answer(
    shared: Arc<Shared>,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Body>, BoxError> {
    if shared.is_frozen(&peer) {
        pending::<()>().await;
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let asked = Asked::new(&head.method, &head.uri, &head.headers);
    let said = shared.requested(asked.verb, head.uri.to_string());
    if let Some(fault) = said {
        return faulty(fault).await;
    }
    let credential = peer.certificate.as_deref().or(bearer(&head.headers));
    let answer = {
        let mut world = shared.world();
        let answer = asked.answer(&mut world, credential, &body);
        shared.tick();
        answer
    };
    match answer {
        Ok(Some(value)) => Ok(json_answer(200, &value)),
        Ok(None) => {
            let headers = Response::builder().header(header::CONTENT_TYPE, "application/json");
            shared.opened();
            Ok(headers.body(stream::body(shared, asked.scope()))?)
        }
        Err(status) => Ok(json_answer(
            status["code"].as_u64().unwrap_or(500) as u16,
            &status,
        )),
    }
}

async fn faulty(fault: Fault) -> Result<Response<Body>, BoxError> {
    let whole = |bytes: &'static str| Full::from(bytes).map_err(|never| match never {}).boxed();
    Ok(match fault {
        Fault::Hang => pending().await,
        Fault::Status(code) => json_answer(code, &status::trouble(code)),
        Fault::Bytes(bytes) => Response::new(whole(bytes)),
        Fault::Page(code) => {
            let page = Response::builder()
                .status(code)
                .header(header::CONTENT_TYPE, "text/html");
            page.body(whole("<html>no such backend</html>"))?
        }
        Fault::Endless => {
            let piece = || Ok(Frame::data(Bytes::from_static(&[b'x'; 1 << 16])));
            Response::new(BodyExt::boxed(StreamBody::new(streams::repeat_with(piece))))
        }
        Fault::CutShort => {
            let half = Ok(Frame::data(Bytes::from_static(b"{\"kind\":\"Secret\",")));
            let cut = Err(io::ErrorKind::ConnectionReset.into());
            let frames = streams::iter([half]).chain(streams::once(async {
                // Both at once would be one error without a half.
                tokio::task::yield_now().await;
                cut
            }));
            Response::new(BodyExt::boxed(StreamBody::new(frames)))
        }
    })
}

fn json_answer(code: u16, value: &Value) -> Response<Body> {
    let body = Full::from(value.to_string()).map_err(|never| match never {});
    let mut response = Response::new(body.boxed());
    *response.status_mut() = code.try_into().unwrap_or_default();
    let kind = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    if let Some(seconds) = value["details"]["retryAfterSeconds"].as_u64() {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::as_bytes)
}

// === impl Asked ===

impl Asked {
    fn new(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let query = uri.query().unwrap_or_default();
        let query: HashMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (decoded(key), decoded(value)))
            .collect();
        let parts: Vec<&str> = uri.path().split('/').skip(1).collect();
        let target = match parts.as_slice() {
            ["version"] => Target::Version,
            ["api", "v1", "namespaces"] => Target::Namespaces(None),
            ["api", "v1", "namespaces", name] => Target::Namespaces(Some((*name).to_owned())),
            ["api", "v1", "namespaces", of, "secrets"] => Target::Secrets((*of).to_owned()),
            ["api", "v1", "namespaces", of, "secrets", name] => {
                Target::Secret((*of).to_owned(), (*name).to_owned())
            }
            _ => Target::Other,
        };
        let watches = query
            .get("watch")
            .is_some_and(|watch| watch == "true" || watch == "1");
        let verb = match (method, &target) {
            (&Method::GET, Target::Secrets(_)) if watches => "watch",
            (&Method::GET, Target::Secrets(_)) => "list",
            (&Method::GET, _) => "get",
            (&Method::POST, _) => "create",
            (&Method::PUT, _) => "update",
            (&Method::DELETE, _) => "delete",
            _ => "other",
        };
        let accept = headers
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok());
        let metadata = accept.is_some_and(|accept| accept.contains("as=PartialObjectMetadata"));
        Self {
            verb,
            target,
            query,
            metadata,
        }
    }

    /// The name that the field selector asks for.
    fn selected(&self) -> Option<&str> {
        let selector = self.query.get("fieldSelector")?;
        selector
            .strip_prefix("metadata.name=")
            .map(|name| name.trim_start_matches('='))
    }

    fn scope(&self) -> Scope {
        let number = |key: &str| {
            self.query
                .get(key)
                .and_then(|text| text.parse::<u64>().ok())
        };
        Scope {
            namespace: match &self.target {
                Target::Secrets(namespace) => namespace.clone(),
                _ => String::new(),
            },
            name: self.selected().map(str::to_owned),
            metadata: self.metadata,
            bookmarks: self
                .query
                .get("allowWatchBookmarks")
                .is_some_and(|value| value == "true"),
            from: number("resourceVersion").filter(|version| *version > 0),
            lasts: Duration::from_secs(number("timeoutSeconds").unwrap_or(1800)),
        }
    }

    /// `None` for a watch, which has more than one answer.
    fn answer(
        &self,
        world: &mut World,
        credential: Option<&[u8]>,
        body: &[u8],
    ) -> Result<Option<Value>, Value> {
        let account = world
            .account(credential)
            .cloned()
            .ok_or_else(status::unauthorized)?;
        let (namespace, name) = match &self.target {
            Target::Secrets(namespace) => (&**namespace, self.selected().unwrap_or_default()),
            Target::Secret(namespace, name) => (&**namespace, &**name),
            Target::Namespaces(_) => ("*", ""),
            Target::Version => {
                let version = json!({"major": "1", "minor": "36", "gitVersion": "v1.36.0-model"});
                return Ok(Some(version));
            }
            Target::Other => return Err(status::not_found("resources", "")),
        };
        let wanted = Attributes {
            verb: self.verb,
            namespace,
            name,
        };
        World::allow(&account, &wanted)?;
        if self.verb == "watch" {
            return Ok(None);
        }
        self.act(world, namespace, name, body).map(Some)
    }

    fn act(&self, world: &mut World, namespace: &str, name: &str, body: &[u8]) -> Answer {
        let object = || {
            serde_json::from_slice::<Value>(body)
                .map_err(|_| status::failure(400, "BadRequest", "the body is no object", None))
        };
        match (self.verb, &self.target) {
            ("create", Target::Namespaces(None)) => {
                let object = object()?;
                world.add_namespace(object["metadata"]["name"].as_str().unwrap_or_default())
            }
            ("delete", Target::Namespaces(Some(name))) => world.remove_namespace(name),
            ("get", Target::Secret(..)) => {
                let object = world.get(namespace, name)?;
                Ok(if self.metadata {
                    partial(&object)
                } else {
                    object
                })
            }
            ("list", _) => Ok(self.listed(world, namespace)),
            ("create", Target::Secrets(_)) => world.create(namespace, object()?),
            ("update", Target::Secret(..)) => world.replace(namespace, name, object()?),
            ("delete", Target::Secret(..)) => world.delete(namespace, name),
            _ => Err(status::failure(
                405,
                "MethodNotAllowed",
                "not of this model",
                None,
            )),
        }
    }

    fn listed(&self, world: &World, namespace: &str) -> Value {
        let items = world.list(namespace, self.selected());
        let (kind, version, items) = if self.metadata {
            let items = items.iter().map(partial).collect();
            ("PartialObjectMetadataList", "meta.k8s.io/v1", items)
        } else {
            ("SecretList", "v1", items)
        };
        json!({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": world.version.to_string()},
            "items": items})
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let hex: Vec<u8> = rest.by_ref().take(2).collect();
                let hex = std::str::from_utf8(&hex).unwrap_or_default();
                bytes.push(u8::from_str_radix(hex, 16).unwrap_or(b'?'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
