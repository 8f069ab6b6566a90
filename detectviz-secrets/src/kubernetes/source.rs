//! Reads what says where the API server is and who we are: service account, kubeconfig, certificates.
use std::{fs::File, io, io::Read, path::Path};
use zeroize::Zeroizing;

/// No token, certificate or kubeconfig is larger.
const LARGEST: u64 = 1 << 20;

/// The bytes of a file.
pub(super) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    // A buffer that grows leaves pieces of a token behind, so it starts at its size.
    let mut bytes = Zeroizing::new(Vec::with_capacity(size.saturating_add(1).min(1 << 20)));
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(format!(
            "it is larger than {LARGEST} bytes"
        )));
    }
    Ok(bytes)
}
