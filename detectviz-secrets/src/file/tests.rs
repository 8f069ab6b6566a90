use super::{state::Form, *};
use detectviz_core::{
    secret::{SecretErrorKind, SecretRef, SecretsProvider},
    task::Tasks,
};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// A directory of its own for one test, removed at its end.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("detectviz-secrets-{}-{n}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join(name), bytes).unwrap();
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn provider(dir: &Dir) -> FileProvider {
    let config = FileConfig {
        poll_interval: Duration::from_millis(5),
        ..FileConfig::default()
    };
    config.root(&dir.0).build(&Tasks::new())
}

fn reference(path: &str) -> SecretRef {
    format!("${{secret:file:{path}}}").parse().unwrap()
}

#[test]
fn the_form_of_a_file_is_told_by_its_name() {
    for (name, bytes, field, expected) in [
        ("token", "v\n", "value", Some("v")),
        ("token", "v\r\n", "value", Some("v")),
        ("token", "v\n\n", "value", Some("v\n")),
        (
            "a.json",
            r#"{"user":"u","password":"p"}"#,
            "password",
            Some("p"),
        ),
        ("a.json", r#"{"n":1}"#, "n", None),
        ("a.json", "canary", "value", None),
        (".env", "# c\nexport A=1\nB=\"x y\"\n", "A", Some("1")),
        ("x.env", "A='q'\n\n", "A", Some("q")),
        ("x.env", "canary", "A", None),
    ] {
        let read = state::fields(Form::of(name), bytes.as_bytes());
        let found = read.as_ref().ok().and_then(|f| f.get(field)?.expose_str());
        assert_eq!(found, expected, "{name}: {bytes}");
        assert!(!format!("{read:?}").contains("canary"));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_named() {
    let dir = Dir::new();
    dir.write("empty", b"\n");
    dir.write("broken.json", b"canary");
    dir.write("large", &vec![b'x'; (1 << 20) + 1]);
    fs::create_dir(dir.0.join("nothing")).unwrap();
    let provider = provider(&dir);
    for (path, kind) in [
        ("absent", SecretErrorKind::NotFound),
        ("empty", SecretErrorKind::Empty),
        ("broken.json#a", SecretErrorKind::Malformed),
        ("large", SecretErrorKind::Unavailable),
        ("nothing#a", SecretErrorKind::Empty),
    ] {
        let err = provider.get(&reference(path)).await.unwrap_err();
        assert_eq!(err.kind(), kind, "{err}");
        let (shown, path) = (err.to_string(), path.split('#').next().unwrap());
        assert!(shown.contains(path) && !shown.contains("canary"), "{shown}");
    }
}

/// Puts a new version of a two-key secret in place as the kubelet does.
fn swap(dir: &Path, version: usize) {
    let name = format!("..v{version}");
    let data = dir.join(&name);
    fs::create_dir(&data).unwrap();
    for key in ["user", "password"] {
        fs::write(data.join(key), format!("{version}")).unwrap();
    }
    symlink(&name, dir.join("..data_tmp")).unwrap();
    fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
    if version > 0 {
        let _ = fs::remove_dir_all(dir.join(format!("..v{}", version - 1)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s9_a_swapped_volume_is_never_half_read() {
    const SWAPS: usize = 300;
    let dir = Dir::new();
    swap(&dir.0, 0);
    for key in ["user", "password"] {
        symlink(format!("..data/{key}"), dir.0.join(key)).unwrap();
    }
    let provider = provider(&dir);
    let wanted = reference(".#user");
    let mut watch = provider.watch(&wanted).await.unwrap();
    let root = dir.0.clone();
    let writer = Tasks::new().spawn_blocking("kubelet", move || {
        for version in 1..=SWAPS {
            swap(&root, version);
        }
    });
    let last = SWAPS.to_string();
    let mut seen = 0;
    let follow = async {
        loop {
            let bundle = watch.changed().await.unwrap();
            assert_eq!(bundle.field("user"), bundle.field("password"));
            let value: usize = bundle
                .field("user")
                .unwrap()
                .expose_str()
                .unwrap()
                .parse()
                .unwrap();
            assert!(value > seen, "{value} after {seen}");
            seen = value;
            if value == SWAPS {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), follow)
        .await
        .unwrap();
    writer.await.unwrap();
    assert_eq!(
        provider
            .get(&wanted)
            .await
            .unwrap()
            .field("password")
            .unwrap()
            .expose_str(),
        Some(&*last)
    );
}

#[tokio::test]
async fn a_watch_keeps_the_last_good_value_and_sees_the_next() {
    let dir = Dir::new();
    dir.write("token", b"one");
    let tasks = Tasks::new();
    let config = FileConfig {
        poll_interval: Duration::from_millis(5),
        ..FileConfig::default()
    };
    let provider = config.root(&dir.0).build(&tasks);
    let mut watch = provider.watch(&reference("token")).await.unwrap();
    dir.write("token", b"");
    dir.write("next", b"two");
    fs::rename(dir.0.join("next"), dir.0.join("token")).unwrap();
    let next = tokio::time::timeout(Duration::from_secs(10), watch.changed())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next.value(&reference("token")).unwrap().expose(), b"two");
    drop(watch);
    tasks
        .join(Duration::from_secs(10))
        .await
        .expect("polling ends with its last watcher");
}
