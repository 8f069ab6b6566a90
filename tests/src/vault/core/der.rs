//! The one thing that is read from a certificate; follows RFC 5280, section 4.1.

/// `2.5.4.3`, as DER writes it.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// The common name of the subject; `None` without one, or without a certificate.
pub(super) fn common_name(certificate: &[u8]) -> Option<String> {
    let (_, certificate, _) = element(certificate)?;
    let (_, body, _) = element(certificate)?;
    let mut rest = body;
    let (tag, _, after_version) = element(rest)?;
    // The version is left out in version 1.
    if tag == 0xa0 {
        rest = after_version;
    }
    // Serial number, algorithm, issuer and validity stand before the subject.
    for _ in 0..4 {
        rest = element(rest)?.2;
    }
    let (_, mut subject, _) = element(rest)?;
    while let Some((_, set, after)) = element(subject) {
        let (_, pair, _) = element(set)?;
        let (_, kind, value) = element(pair)?;
        if kind == COMMON_NAME {
            let (_, text, _) = element(value)?;
            return String::from_utf8(text.to_vec()).ok();
        }
        subject = after;
    }
    None
}

/// Tag, content, and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..0x80 => (usize::from(*first), rest),
        _ => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let digit = |len: usize, digit: &u8| len.checked_mul(256)?.checked_add((*digit).into());
            (digits.iter().try_fold(0, digit)?, rest)
        }
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((*tag, content, rest))
}
