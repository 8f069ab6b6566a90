//! Reading `/sys/fs/cgroup`.
use super::state::{self, Throttling};
use std::{
    fs::File,
    io::Read,
    path::{Component, Path, PathBuf},
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Memory {
    /// In bytes.
    pub(super) usage: Option<u64>,
    /// In bytes.
    pub(super) limit: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cpu {
    pub(super) limit: Option<f64>,
    pub(super) throttling: Option<Throttling>,
}

/// The directories of the process' group and of those above it, the innermost first.
enum Group {
    Unified(Vec<PathBuf>),
    Legacy(Vec<PathBuf>),
}

/// The CPUs that the process may use: the least quota of its control group and of those above it. `None` without a quota, and
/// where control groups cannot be read. `root` is `/`, or what stands for it in a test.
#[must_use]
pub fn cpu_limit(root: &Path) -> Option<f64> {
    let limits: Vec<f64> = match group(root, "cpu")? {
        Group::Unified(dirs) => {
            let limit = |dir: &PathBuf| state::cpu_max(&text(&dir.join("cpu.max"))?);
            dirs.iter().filter_map(limit).collect()
        }
        Group::Legacy(dirs) => {
            let limit = |dir: &PathBuf| {
                let quota = text(&dir.join("cpu.cfs_quota_us"))?;
                state::cpus(&quota, &text(&dir.join("cpu.cfs_period_us"))?)
            };
            dirs.iter().filter_map(limit).collect()
        }
    };
    limits.into_iter().reduce(f64::min)
}

/// The memory that the process' control group uses, as a share of the least limit of its own group and of those above it;
/// `None` without a limit, and where control groups cannot be read. `root` is `/`, or what stands for it in a test.
///
/// As the kubelet counts its working set, files that were read and not since are left out, for the kernel takes them back
/// first. They are only looked for where the share would otherwise be `exact_from` or more: the file that says it is long.
#[must_use]
pub fn memory_utilization(root: &Path, exact_from: f64) -> Option<f64> {
    let Memory { usage, limit } = memory(root);
    let (usage, limit) = (usage?, limit.filter(|limit| *limit > 0)?);
    let share = |bytes: u64| bytes as f64 / limit as f64;
    if share(usage) < exact_from {
        return Some(share(usage));
    }
    let group = group(root, "memory")?;
    let stat = innermost(group.dirs(), "memory.stat");
    let inactive = stat.as_deref().and_then(state::inactive_file);
    Some(share(usage.saturating_sub(inactive.unwrap_or(0))))
}

pub(super) fn cpu(root: &Path) -> Cpu {
    let stat = group(root, "cpu").and_then(|group| innermost(group.dirs(), "cpu.stat"));
    Cpu {
        limit: cpu_limit(root),
        throttling: stat.as_deref().and_then(state::throttling),
    }
}

pub(super) fn memory(root: &Path) -> Memory {
    let group = group(root, "memory");
    let dirs = group.as_ref().map(Group::dirs).unwrap_or_default();
    let (usage, limit) = match &group {
        Some(Group::Legacy(_)) => ("memory.usage_in_bytes", "memory.limit_in_bytes"),
        _ => ("memory.current", "memory.max"),
    };
    let limit_of = |dir: &PathBuf| state::bytes(&text(&dir.join(limit))?);
    Memory {
        usage: innermost(dirs, usage).as_deref().and_then(state::bytes),
        limit: dirs.iter().filter_map(limit_of).min(),
    }
}

/// The group of the process in the hierarchy of `controller`.
fn group(root: &Path, controller: &str) -> Option<Group> {
    let mount = root.join("sys/fs/cgroup");
    let memberships = text(&root.join("proc/self/cgroup")).unwrap_or_default();
    if mount.join("cgroup.controllers").is_file() {
        let path = state::unified_path(&memberships).unwrap_or("/");
        return Some(Group::Unified(upwards(&mount, path)));
    }
    let (controllers, path) = state::legacy_path(&memberships, controller)?;
    let mounts = [mount.join(controllers), mount.join(controller)];
    let mount = mounts.iter().find(|mount| mount.is_dir())?;
    Some(Group::Legacy(upwards(mount, path)))
}

/// The directories from `path` up to `mount`. A container often sees its own group as the mount, and a path that is none of
/// its own: then there is the mount alone.
fn upwards(mount: &Path, path: &str) -> Vec<PathBuf> {
    let relative = Path::new(path.trim_start_matches('/'));
    let plain = |part| matches!(part, Component::Normal(_));
    let own = mount.join(relative);
    if !relative.components().all(plain) || !own.is_dir() {
        return vec![mount.to_owned()];
    }
    let ancestors = own.ancestors().take_while(|dir| dir.starts_with(mount));
    ancestors.map(Path::to_owned).collect()
}

/// The file `name` of the innermost directory that has it.
fn innermost(dirs: &[PathBuf], name: &str) -> Option<String> {
    dirs.iter().find_map(|dir| text(&dir.join(name)))
}

fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}

// === impl Group ===

impl Group {
    fn dirs(&self) -> &[PathBuf] {
        match self {
            Self::Unified(dirs) | Self::Legacy(dirs) => dirs,
        }
    }
}
