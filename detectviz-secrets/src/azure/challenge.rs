//! What a vault answers to a call without a token: which resource the token must be for.
//!
//! A vault that could name any resource would get a token for it. So it may name only the domain that its own name ends in, as
//! the clients of Azure have it, or what the configuration says.
use crate::cloud::Failure;
use detectviz_core::secret::SecretErrorKind;
use http::Uri;

/// The resource that the challenge `header` (RFC 6750, section 3) of the vault at `vault_url` names, such as
/// `https://vault.azure.net`; it must be `expected` where that is given.
///
/// # Errors
/// `Denied` for a resource of somebody else, `Unavailable` for what is no challenge.
pub(super) fn resource(
    header: &str,
    vault_url: &str,
    expected: Option<&str>,
) -> Result<String, Failure> {
    let named = parameter(header, "resource")
        .or_else(|| parameter(header, "scope").map(|scope| scope.trim_end_matches("/.default")))
        .map(|named| named.trim_end_matches('/'));
    let Some(named) = named else {
        return Err(Failure::unavailable(
            "find out who answers in place of Key Vault: its challenge names no resource",
        ));
    };
    let (Some(domain), Some(vault)) = (host(named), host(vault_url)) else {
        return Err(foreign(named));
    };
    let fits = match expected {
        Some(expected) => expected.trim_end_matches('/') == named,
        None => vault
            .strip_suffix(&domain)
            .is_some_and(|name| name.ends_with('.')),
    };
    if fits {
        Ok(named.to_owned())
    } else {
        Err(foreign(named))
    }
}

fn foreign(named: &str) -> Failure {
    let shown: String = named
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    let remedy = format!(
        "correct `vault_url`, or write the resource of the vault to `resource`: it asks for a token for `{shown}`, which is \
         not its domain"
    );
    Failure::new(SecretErrorKind::Denied, remedy)
}

/// The quoted value of a parameter.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let (scheme, rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    rest.split([',', ' ']).find_map(|parameter| {
        let (its, value) = parameter.trim().split_once('=')?;
        let value = value.strip_prefix('"')?.strip_suffix('"')?;
        its.eq_ignore_ascii_case(name).then_some(value)
    })
}

fn host(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    Some(uri.host()?.to_ascii_lowercase())
}
