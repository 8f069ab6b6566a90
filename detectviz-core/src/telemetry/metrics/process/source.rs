//! Reading `/proc`.
use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

/// The files about this process, each as it stands there, and the units that they count in.
#[derive(Debug)]
pub(super) struct Readings {
    pub(super) stat: Option<String>,
    pub(super) system_stat: Option<String>,
    pub(super) limits: Option<String>,
    pub(super) open_fds: Option<usize>,
    pub(super) ticks_per_second: u64,
    pub(super) page_size: u64,
}

pub(super) fn read(root: &Path) -> Readings {
    let proc = root.join("proc");
    let fds = fs::read_dir(proc.join("self/fd"));
    Readings {
        stat: text(&proc.join("self/stat")),
        system_stat: text(&proc.join("stat")),
        limits: text(&proc.join("self/limits")),
        open_fds: fds.ok().map(Iterator::count),
        ticks_per_second: rustix::param::clock_ticks_per_second(),
        page_size: rustix::param::page_size() as u64,
    }
}

fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.read_to_end(&mut bytes).ok()?;
    // The name of a command need not be UTF-8.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
