//! Everything that can go wrong between us and the API server, and what to do about it.
use super::{name::ObjectName, status::Refusal};
use detectviz_core::{
    error::BoxError,
    secret::{SecretError, SecretErrorKind, SecretRef},
};
use std::{error, fmt, io, time::Duration};

/// Why the API server did not give what was asked for. Holds nothing of what it answered.
#[derive(Debug)]
pub(super) enum Failure {
    /// Who we are or where the server is cannot be read.
    Setup { what: String, remedy: String },
    /// There is no connection.
    Unreachable { server: String, source: BoxError },
    /// The server's certificate was not accepted.
    Untrusted { server: String, source: BoxError },
    /// There was no whole answer in time.
    Late { server: String, limit: Duration },
    /// The connection broke within the answer.
    CutShort { server: String, source: BoxError },
    /// The server said no.
    Refused { server: String, refusal: Refusal },
    /// The answer is larger than any that a Kubernetes API server gives.
    TooLarge { limit: usize },
    /// The answer is not what was asked for.
    Unreadable { what: &'static str },
}

// === impl Failure ===

impl Failure {
    pub(super) fn setup(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Setup {
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// A connection that could not be made, or that broke.
    pub(super) fn transport(server: &str, source: impl Into<BoxError>, connecting: bool) -> Self {
        let (server, source) = (server.to_owned(), source.into());
        match connecting {
            true if is_untrusted(&*source) => Self::Untrusted { server, source },
            true => Self::Unreachable { server, source },
            false => Self::CutShort { server, source },
        }
    }

    /// What the server said, where it said something.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// What one who asked for `object` is told.
    pub(super) fn explain(self, reference: &SecretRef, object: &ObjectName) -> SecretError {
        let kind = self.kind();
        let remedy = match self.refusal() {
            Some(refusal) if refusal.is_not_found() => format!(
                "create the Secret `{}` in the namespace `{}`, or correct the reference",
                object.name, object.namespace
            ),
            Some(refusal) if refusal.is_forbidden() => permission(object, refusal.user.as_deref()),
            _ => self.to_string(),
        };
        let err = SecretError::new(kind, reference, remedy);
        match self {
            Self::Unreachable { source, .. }
            | Self::Untrusted { source, .. }
            | Self::CutShort { source, .. } => err.with_source(source),
            _ => err,
        }
    }

    fn kind(&self) -> SecretErrorKind {
        match self {
            Self::Refused { refusal, .. } if refusal.is_not_found() => SecretErrorKind::NotFound,
            Self::Refused { refusal, .. }
                if refusal.is_forbidden() || refusal.is_unauthorized() =>
            {
                SecretErrorKind::Denied
            }
            Self::TooLarge { .. } | Self::Unreadable { .. } => SecretErrorKind::Malformed,
            _ => SecretErrorKind::Unavailable,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup { what, remedy } => write!(f, "{what}: {remedy}"),
            Self::Unreachable { server, source } => write!(
                f,
                "make the API server at {server} reachable ({})",
                innermost(&**source)
            ),
            Self::Untrusted { server, source } => write!(
                f,
                "the certificate of {server} was not accepted ({}): mount the `ca.crt` of this cluster, or correct \
                 `certificate-authority`",
                innermost(&**source)
            ),
            Self::Late { server, limit } => write!(
                f,
                "no whole answer of {server} within {limit:?}: relieve it, or set a longer `timeout`"
            ),
            Self::CutShort { server, source } => write!(
                f,
                "the connection to {server} broke within the answer ({}): try again",
                innermost(&**source)
            ),
            Self::Refused { server, refusal } => refused(f, server, refusal),
            Self::TooLarge { limit } => write!(
                f,
                "the answer is larger than {limit} bytes: ask a Kubernetes API server, and keep a Secret below 1 MiB"
            ),
            Self::Unreadable { what } => {
                write!(f, "the answer {what}: ask a Kubernetes API server")
            }
        }
    }
}

impl error::Error for Failure {}

fn refused(f: &mut fmt::Formatter<'_>, server: &str, refusal: &Refusal) -> fmt::Result {
    let remedy = match (refusal.code, refusal.reason) {
        (_, None) => "it seems to be no Kubernetes API server: correct its address",
        (401, _) => {
            "it does not know the token or the certificate: let the kubelet mount a new token, and see that the service \
             account is still there"
        }
        (403, _) => "give the service account the permission",
        (429, _) => "it is overloaded: relieve it, or see its priority levels",
        _ => "see its log; it is asked again",
    };
    let reason = refusal.reason.unwrap_or("no reason");
    let code = refusal.code;
    write!(f, "{server} answered {code} ({reason}): {remedy}")
}

/// The Role and the RoleBinding that let `user` read and follow `object`, in YAML that `kubectl apply` takes.
fn permission(object: &ObjectName, user: Option<&str>) -> String {
    let ObjectName { namespace, name } = object;
    let account = user.and_then(|user| user.strip_prefix("system:serviceaccount:"));
    let subject = match (account.and_then(|account| account.split_once(':')), user) {
        (Some((of, account)), _) => {
            format!("{{kind: ServiceAccount, namespace: {of}, name: {account}}}")
        }
        (None, Some(user)) => {
            format!("{{kind: User, apiGroup: rbac.authorization.k8s.io, name: \"{user}\"}}")
        }
        (None, None) => "{kind: ServiceAccount, namespace: …, name: …}".to_owned(),
    };
    let head = |kind: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1, kind: {kind}, metadata: {{namespace: {namespace}, name: read-{name}}}"
        )
    };
    format!(
        "apply {{{role}, rules: [{{apiGroups: [\"\"], resources: [secrets], resourceNames: [{name}], verbs: [get, list, \
         watch]}}]}} and {{{binding}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: read-{name}}}, \
         subjects: [{subject}]}}",
        role = head("Role"),
        binding = head("RoleBinding"),
    )
}

/// Whether a certificate was refused. An `io::Error` hides what it wraps from `source`, and hyper-rustls wraps twice.
fn is_untrusted(err: &(dyn error::Error + 'static)) -> bool {
    if let Some(tls) = err.downcast_ref::<rustls::Error>() {
        return matches!(tls, rustls::Error::InvalidCertificate(_));
    }
    let wrapped = err.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => is_untrusted(wrapped),
        None => err.source().is_some_and(is_untrusted),
    }
}

/// The end of the chain, which says most: `connection refused`, for example.
fn innermost<'a>(err: &'a (dyn error::Error + 'static)) -> &'a (dyn error::Error + 'static) {
    let mut last = err;
    while let Some(source) = last.source() {
        last = source;
    }
    last
}
