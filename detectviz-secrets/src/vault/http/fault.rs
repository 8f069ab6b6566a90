//! Why a request got no answer.
use crate::vault::failure::{Cause, Failure};
use rustls::{AlertDescription, CertificateError, Error as TlsError};
use std::{error::Error, io};

/// The longest text of a third party's error that is repeated, in bytes.
const MAX_TEXT: usize = 200;

/// What `err` means for `node`.
pub(super) fn of(err: &reqwest::Error, node: &str) -> Failure {
    if let Some(tls) = tls_cause(err) {
        return Failure::new(
            Cause::Node,
            format!("{}: TLS to {node} failed", tls_remedy(tls)),
        );
    }
    let remedy = if err.is_timeout() && !err.is_connect() {
        format!(
            "wait, or look at the load of {node}: it did not answer in time; `timeout` sets how long it may take"
        )
    } else if err.is_connect() {
        let why = io_cause(err).map_or_else(|| innermost(err), ToString::to_string);
        let late = if err.is_timeout() {
            "no answer in time"
        } else {
            &why
        };
        format!(
            "start Vault, or correct `addresses` and network policies: no connection to {node} ({late})"
        )
    } else {
        format!(
            "look at {node} and what stands before it: the answer was cut short ({})",
            innermost(err)
        )
    };
    Failure::new(Cause::Node, remedy)
}

/// What is wrong with TLS, and what to do about it.
fn tls_remedy(err: &TlsError) -> String {
    use CertificateError as C;
    match err {
        TlsError::InvalidCertificate(C::UnknownIssuer | C::BadSignature) => {
            "put the authority that issued the node's certificate into `tls.ca_file`: the issuer is unknown".to_owned()
        }
        TlsError::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            "use an address that the node's certificate names, or set `tls.server_name`: the name does not match".to_owned()
        }
        TlsError::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            "renew the node's certificate: it has expired".to_owned()
        }
        TlsError::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            "correct the clock of the node or of this machine: the certificate is not valid yet".to_owned()
        }
        TlsError::AlertReceived(AlertDescription::CertificateRequired | AlertDescription::HandshakeFailure) => {
            "set `tls.cert_file` and `tls.key_file`: the node demands a client's certificate".to_owned()
        }
        TlsError::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::DecryptError
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRevoked,
        ) => "renew `tls.cert_file`, or let the node trust its authority: the node refuses our certificate".to_owned(),
        TlsError::InvalidMessage(_) => {
            "write `http://` if the node serves no TLS: what answers does not speak TLS".to_owned()
        }
        other => format!("look at the TLS settings of both sides ({})", cut(other.to_string())),
    }
}

/// The cause of type `T` in the chain. An `io::Error` hides what it was made from, so each is looked into.
fn cause<'a, T: Error + 'static>(err: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(err);
    while let Some(err) = next {
        if let Some(found) = err.downcast_ref::<T>() {
            return Some(found);
        }
        let inner = err.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => err.source(),
        };
    }
    None
}

fn tls_cause(err: &reqwest::Error) -> Option<&TlsError> {
    cause(err)
}

fn io_cause(err: &reqwest::Error) -> Option<&io::Error> {
    cause(err)
}

/// The last text of the chain, which holds no URL.
fn innermost(err: &reqwest::Error) -> String {
    let mut last: &(dyn Error + 'static) = err;
    while let Some(next) = last.source() {
        last = next;
    }
    cut(last.to_string())
}

fn cut(mut text: String) -> String {
    let end = (0..=MAX_TEXT.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or(0));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_tls_has_a_remedy_of_its_own() {
        for (err, expected) in [
            (CertificateError::UnknownIssuer.into(), "ca_file"),
            (CertificateError::NotValidForName.into(), "server_name"),
            (CertificateError::Expired.into(), "expired"),
            (CertificateError::NotValidYet.into(), "clock"),
            (
                TlsError::AlertReceived(AlertDescription::CertificateRequired),
                "cert_file",
            ),
            (
                TlsError::AlertReceived(AlertDescription::UnknownCA),
                "refuses our certificate",
            ),
            (
                TlsError::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
                "http://",
            ),
            (TlsError::DecryptError, "both sides"),
        ] {
            let hidden = io::Error::other(io::Error::other(err));
            let found = cause::<TlsError>(&hidden).unwrap();
            let remedy = tls_remedy(found);
            assert!(remedy.contains(expected), "{remedy}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("ä".repeat(150)).len(), MAX_TEXT);
        assert_eq!(cut("short".to_owned()), "short");
    }
}
