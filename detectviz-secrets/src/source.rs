//! The files that stores log in with: tokens, keys, certificates.
use crate::wiped::Wiped;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};
use zeroize::Zeroizing;

/// The largest file that is read: Mozilla's list of authorities has about 220 KiB.
const LARGEST: u64 = 4 << 20;

/// The bytes of a file, which a kubelet may replace at any time: read it whenever it is needed.
pub(crate) fn read_file(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let room = usize::try_from(size.min(LARGEST)).unwrap_or(0);
    let mut bytes = Wiped::with_capacity(room);
    let mut file = file.take(LARGEST + 1);
    let mut piece = Zeroizing::new([0; 4096]);
    loop {
        match file.read(&mut *piece)? {
            0 => break,
            count => bytes.push(&piece[..count]),
        }
    }
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(format!(
            "it is larger than {} MiB",
            LARGEST >> 20
        )));
    }
    Ok(bytes.into_inner())
}
