//! What stands at a path, and what comes of it.
use super::{
    super::{
        error,
        source::{self, Found, Unreadable, Why},
    },
    *,
};
use rustix::fs::{CWD, Mode, mkfifoat};
use std::{
    ffi::OsStr,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt, net::UnixListener},
};

#[tokio::test]
async fn what_is_wrong_with_a_file_is_named() {
    let dir = Dir::new();
    let at = |name: &str| dir.0.join(name);
    dir.write("empty", b"\n");
    dir.write("blank.json", b" \n");
    dir.write("hollow.json", b"{}");
    dir.write("hollow.yaml", b"# nothing\n");
    dir.write("null.yaml", b"a: null\n");
    dir.write("empties.json", br#"{"a":"","b":""}"#);
    dir.write("large", &vec![b'x'; 4097]);
    fs::create_dir(at("nothing")).unwrap();
    fs::create_dir(at("full")).unwrap();
    dir.write("full/a", b"");
    fs::create_dir(at("wide")).unwrap();
    dir.write("wide/a", &[b'x'; 4096]);
    dir.write("wide/b", b"x");
    fs::create_dir(at("torn")).unwrap();
    symlink("..gone", at("torn/..data")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    symlink("circle", at("circle")).unwrap();
    fs::create_dir(at("linked")).unwrap();
    symlink("nowhere", at("linked/a")).unwrap();
    mkfifoat(CWD, at("pipe"), Mode::RUSR).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    for (path, kind, says) in [
        ("absent", SecretErrorKind::NotFound, "mount the secret at"),
        (
            "empty/below",
            SecretErrorKind::NotFound,
            "mount the secret at",
        ),
        (
            "dangling",
            SecretErrorKind::NotFound,
            "a link that leads nowhere",
        ),
        (
            "torn",
            SecretErrorKind::NotFound,
            "..data is a link that leads nowhere",
        ),
        (
            "linked",
            SecretErrorKind::NotFound,
            "linked/a is a link that leads nowhere",
        ),
        ("circle", SecretErrorKind::Malformed, "lead in a circle"),
        ("pipe", SecretErrorKind::Malformed, "is a pipe"),
        ("socket", SecretErrorKind::Malformed, "is a socket"),
        ("/dev/null", SecretErrorKind::Malformed, "is a device"),
        ("wide", SecretErrorKind::Malformed, "raise `max_size`"),
        ("large", SecretErrorKind::Malformed, "raise `max_size`"),
        (
            "full?format=json",
            SecretErrorKind::Malformed,
            "it is a directory",
        ),
        ("empty", SecretErrorKind::Empty, "write a value to"),
        ("blank.json", SecretErrorKind::Empty, "it holds none"),
        ("hollow.json", SecretErrorKind::Empty, "it holds none"),
        ("hollow.yaml", SecretErrorKind::Empty, "it holds none"),
        ("null.yaml", SecretErrorKind::Empty, "it holds none"),
        ("empties.json", SecretErrorKind::Empty, "write a value to"),
        ("nothing", SecretErrorKind::Empty, "it holds none"),
        ("full", SecretErrorKind::Empty, "write a value to"),
        (&*"x".repeat(300), SecretErrorKind::Unavailable, "readable"),
    ] {
        let err = dir.fetch(path).await.expect_err(path);
        assert_eq!(err.kind(), kind, "{err}");
        let (shown, path) = (err.to_string(), path.split('?').next().unwrap());
        assert!(shown.contains(says) && shown.contains(path), "{shown}");
    }
}

#[test]
fn the_permissions_that_count_are_those_of_the_file_behind_the_links() {
    let dir = Dir::new();
    dir.write("token", b"x");
    symlink("token", dir.0.join("link")).unwrap();
    for mode in [0o640, 0o604] {
        fs::set_permissions(dir.0.join("token"), fs::Permissions::from_mode(mode)).unwrap();
        match source::read(&dir.0.join("link"), 10) {
            Ok(Found::File(content)) => assert_eq!(content.mode, mode),
            _ => panic!("it is a file"),
        }
    }
}

#[tokio::test]
async fn a_directory_has_one_field_for_each_file_in_it() {
    let dir = Dir::new();
    fs::create_dir(dir.0.join("below")).unwrap();
    dir.write("below/not", b"x");
    dir.write("user", b"u\n");
    dir.write(".dockerconfigjson", b"{}");
    dir.write("..2026", b"of the volume");
    fs::write(
        dir.0.join(OsStr::from_bytes(b"k\xff")),
        b"no name of a field",
    )
    .unwrap();
    symlink(".", dir.0.join("circle")).unwrap();
    symlink("user", dir.0.join("alias")).unwrap();
    mkfifoat(CWD, dir.0.join("pipe"), Mode::RUSR).unwrap();
    let fetched = dir.fetch(".").await.unwrap();
    let expected = [(".dockerconfigjson", "{}"), ("alias", "u"), ("user", "u")];
    assert_eq!(shown(&fetched), expected);
    assert_eq!(fetched.label, None);
}

#[tokio::test]
async fn a_file_that_may_not_be_read_is_denied() {
    if rustix::process::geteuid().is_root() {
        // Root reads everything: the mapping alone is left to test.
        let err = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let path = PathBuf::from("/x");
        let why = Why::Other(err);
        let unreadable = Unreadable { path, why };
        let err = error::unreadable(&reference("x"), unreadable, ByteSize(1));
        assert_eq!(err.kind(), SecretErrorKind::Denied, "{err}");
        return;
    }
    let dir = Dir::new();
    dir.write("token", b"x");
    fs::set_permissions(dir.0.join("token"), fs::Permissions::from_mode(0o000)).unwrap();
    let err = dir.fetch("token").await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Denied, "{err}");
}
