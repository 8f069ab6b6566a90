//! Which addresses a secret may travel to.
use detectviz_core::config::Checker;
#[cfg(any(feature = "aws", feature = "azure"))]
use detectviz_core::secret::SecretRef;
use http::Uri;
use std::{net::IpAddr, time::Duration};

/// Whether nobody on the way reads along: `https`, or plain `http` to a loopback.
pub(crate) fn is_private(address: &str) -> bool {
    parts(address).is_some_and(|(scheme, host)| match scheme.as_str() {
        "https" => true,
        "http" => host == "localhost" || is_ip(&host, |ip| ip.is_loopback()),
        _ => false,
    })
}

/// Reports an address under `key` that is no `https://…`; plain `http` is left to a loopback, for tests and sidecars.
pub(crate) fn check_https(check: &mut Checker<'_>, key: &str, address: &str) {
    if !is_private(address) {
        check.problem(
            key,
            "is no address that a secret may travel to",
            "write `https://<host>[:<port>]`; `http://` is for a loopback address only",
        );
    }
}

/// Reports an address under `key` that no metadata service has: those listen on the node, without TLS.
pub(crate) fn check_metadata(check: &mut Checker<'_>, key: &str, address: &str) {
    let fine = parts(address).is_some_and(|(scheme, host)| {
        let near = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
            IpAddr::V6(ip) => {
                ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
            }
        };
        scheme == "http"
            && (host == "metadata.google.internal" || host == "localhost" || is_ip(&host, near))
    });
    if !fine {
        check.problem(
            key,
            "is no address of a metadata service",
            "write `http://` and a link-local or loopback address, such as `http://169.254.169.254`",
        );
    }
}

/// Reports a timeout that no call keeps, or that a start-up does not wait for.
pub(crate) fn check_timeout(check: &mut Checker<'_>, timeout: Duration) {
    if timeout < Duration::from_millis(100) || timeout > Duration::from_secs(60) {
        check.problem(
            "timeout",
            "is no time that a call takes",
            "write a duration between `100ms` and `1m`, such as `4s`",
        );
    }
}

/// Reports a reference under `key` that needs a store to log in to a store.
#[cfg(any(feature = "aws", feature = "azure"))]
pub(crate) fn check_reference(check: &mut Checker<'_>, key: &str, reference: Option<&SecretRef>) {
    let served = |reference: &SecretRef| ["env", "file"].contains(&reference.scheme());
    if reference.is_some_and(|reference| !served(reference)) {
        check.problem(
            key,
            "cannot be had before the login",
            "write `${secret:env:…}` or `${secret:file:…}`",
        );
    }
}

fn parts(address: &str) -> Option<(String, String)> {
    let uri: Uri = address.parse().ok()?;
    let authority = uri
        .authority()
        .filter(|authority| !authority.as_str().contains('@'))?;
    Some((uri.scheme_str()?.to_owned(), authority.host().to_owned()))
}

fn is_ip(host: &str, fits: impl FnOnce(IpAddr) -> bool) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse().is_ok_and(fits)
}
