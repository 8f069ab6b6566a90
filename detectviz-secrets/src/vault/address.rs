//! Where Vault is: the nodes, the order in which they are asked, and where a redirect may lead.
use http::Uri;
use std::fmt;

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) is_tls: bool,
    /// As in a URL: an address of IP version 6 stands in brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

/// Where a redirect leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    /// To a node, by its place in the list.
    Node(usize),
    /// To another port of the host that answered.
    SameHost(Address),
    /// To a place that nobody named: the token does not go there.
    Elsewhere,
}

// === impl Address ===

impl Address {
    /// Reads scheme, host and port. The error says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|_| "is no URL of a node".to_owned())?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("has neither `https` nor `http` as its scheme".to_owned()),
        };
        let authority = uri.authority().map(|authority| authority.as_str());
        if authority.is_some_and(|authority| authority.contains('@')) {
            return Err("holds a user".to_owned());
        }
        if uri.path() != "/" || uri.query().is_some() {
            return Err("has a path: Vault serves its API at the root of a host".to_owned());
        }
        let host = uri.host().filter(|host| !host.is_empty());
        Ok(Self {
            is_tls,
            host: host.ok_or("names no host")?.to_ascii_lowercase(),
            // As `api/client.go` has it, a scheme's own port stands where none is named.
            port: uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
        })
    }

    /// The URL that paths are added to, with `name` in place of the host.
    pub(super) fn base(&self, name: Option<&str>) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        let name = name.filter(|_| self.is_tls).unwrap_or(&self.host);
        format!("{scheme}://{name}:{}", self.port)
    }

    /// Where the `Location` of an answer of this node leads, as far as it may be followed: to one of `nodes`, or to this very
    /// host, and never from `https` to `http`.
    pub(super) fn redirect(&self, location: &str, nodes: &[Self], name: Option<&str>) -> Redirect {
        let origin: Option<Uri> = location.parse().ok();
        let origin = origin.and_then(|uri| {
            Some(format!(
                "{}://{}",
                uri.scheme_str()?,
                uri.authority()?.as_str()
            ))
        });
        let Some(mut target) = origin.and_then(|origin| Self::parse(&origin).ok()) else {
            return Redirect::Elsewhere;
        };
        // A node that is asked by the name in its certificate may answer with that name.
        if name.is_some_and(|name| name.eq_ignore_ascii_case(&target.host)) {
            target.host.clone_from(&self.host);
        }
        if self.is_tls && !target.is_tls {
            return Redirect::Elsewhere;
        }
        if let Some(at) = nodes.iter().position(|node| *node == target) {
            return Redirect::Node(at);
        }
        if target.host == self.host && target.is_tls == self.is_tls {
            return Redirect::SameHost(target);
        }
        Redirect::Elsewhere
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base(None))
    }
}

/// The nodes in the order in which they are asked, when `first` is the one that last answered.
pub(super) fn order(first: usize, nodes: usize) -> impl Iterator<Item = usize> {
    let first = if first < nodes { first } else { 0 };
    std::iter::once(first)
        .chain((0..nodes).filter(move |at| *at != first))
        .take(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_scheme_host_and_port_alone() {
        for (text, expected) in [
            ("https://vault:8200", "https://vault:8200"),
            ("http://10.0.0.1/", "http://10.0.0.1:80"),
            ("https://[::1]:8200", "https://[::1]:8200"),
            ("https://Vault.Example", "https://vault.example:443"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), expected);
        }
        for (text, wrong) in [
            ("vault:8200", "scheme"),
            ("unix:///run/vault", "no URL"),
            ("https://vault/v1", "path"),
            ("https://me:canary@vault", "user"),
            ("", "no URL"),
        ] {
            let err = Address::parse(text).unwrap_err();
            assert!(
                err.contains(wrong) && !err.contains("canary"),
                "{text}: {err}"
            );
        }
    }

    #[test]
    fn a_redirect_is_followed_to_a_node_or_the_same_host_alone() {
        let nodes = ["https://a:8200", "https://b:8200"].map(|text| Address::parse(text).unwrap());
        for (location, expected) in [
            ("https://b:8200/v1/kv/x", Redirect::Node(1)),
            (
                "https://a:8300/v1/kv/x",
                Redirect::SameHost(Address::parse("https://a:8300").unwrap()),
            ),
            ("http://a:8200/v1/kv/x", Redirect::Elsewhere),
            ("https://evil:8200/v1/kv/x", Redirect::Elsewhere),
            ("https://vault.name:8200/v1/kv/x", Redirect::Node(0)),
            ("/v1/kv/x", Redirect::Elsewhere),
            ("", Redirect::Elsewhere),
        ] {
            let found = nodes[0].redirect(location, &nodes, Some("vault.name"));
            assert_eq!(found, expected, "{location}");
        }
    }

    #[test]
    fn the_node_that_answered_last_is_asked_first() {
        let of = |first| order(first, 3).collect::<Vec<_>>();
        assert_eq!(of(0), [0, 1, 2]);
        assert_eq!(of(2), [2, 0, 1]);
        assert_eq!(of(9), [0, 1, 2]);
        assert_eq!(order(0, 0).count(), 0);
    }
}
