//! Volumes that are swapped under readers.
use super::{
    super::source::{self, Found, Listing, Why},
    *,
};

#[tokio::test]
async fn a_volume_says_which_version_it_has() {
    let dir = volume();
    let fetched = dir.fetch(".").await.unwrap();
    assert_eq!(shown(&fetched), [("password", "0"), ("user", "0")]);
    assert_eq!(fetched.label.as_deref(), Some("..v0"));
    swap(&dir.0, 1);
    assert_eq!(dir.fetch(".").await.unwrap().label.as_deref(), Some("..v1"));
}

const SWAPS: usize = 1_000;

/// Reads the volume and one of its files until both have the last version. How many reads were whole.
fn follow(volume: &Path) -> usize {
    let number = |bytes: &[u8]| str::from_utf8(bytes).unwrap().parse::<usize>().unwrap();
    let (max, mut seen, mut reads) = (4096, [0; 2], 0);
    while seen != [SWAPS; 2] {
        match source::read(volume, max) {
            Ok(Found::Directory { files, version }) => {
                let values: Vec<_> = files.iter().map(|(_, file)| number(&file.bytes)).collect();
                assert_eq!(values.len(), 2, "both keys, always");
                assert_eq!(values[0], values[1], "of one version");
                assert_eq!(version, Some(format!("..v{}", values[0])));
                assert!(values[0] >= seen[0], "never back");
                seen[0] = values[0];
                reads += 1;
            }
            Ok(Found::File(_)) => panic!("it is a directory"),
            Err(err) => assert!(matches!(err.why, Why::Restless), "{err:?}"),
        }
        match source::read(&volume.join("user"), max) {
            Ok(Found::File(content)) => {
                let value = number(&content.bytes);
                assert!(value >= seen[1], "never back");
                seen[1] = value;
            }
            Ok(Found::Directory { .. }) => panic!("it is a file"),
            Err(err) => assert!(matches!(err.why, Why::Absent { .. }), "{err:?}"),
        }
    }
    reads
}

/// As fast as the disk allows, which is faster than the 1,000 in 10 s that the law asks for.
#[tokio::test]
async fn s9_a_swapped_volume_is_never_half_read() {
    let dir = volume();
    let tasks = Tasks::new();
    let readers = [(); 3].map(|()| {
        let root = dir.0.clone();
        tasks.spawn_blocking("reader", move || follow(&root))
    });
    let root = dir.0.clone();
    let writer = tasks.spawn_blocking("kubelet", move || {
        (1..=SWAPS).for_each(|version| swap(&root, version));
    });
    writer.await.unwrap();
    for reader in readers {
        let reads = reader.await.unwrap();
        assert!(reads > SWAPS / 100, "{reads} reads");
    }
}

#[tokio::test]
async fn a_file_that_is_removed_between_list_and_read_is_not_left_out() {
    let dir = Dir::new();
    dir.write("user", b"u");
    dir.write("password", b"p");
    let listing = Listing::of(&dir.0).unwrap();
    fs::remove_file(dir.0.join("password")).unwrap();
    let err = listing.read(10).err().expect("it is gone");
    assert!(
        matches!(err.why, Why::Absent { dangling: false }),
        "{err:?}"
    );
    // The next look finds what there is.
    assert_eq!(shown(&dir.fetch(".").await.unwrap()), [("user", "u")]);
}

#[tokio::test]
async fn a_key_that_is_emptied_or_removed_is_an_error_and_the_next_value_is_read() {
    let dir = Dir::new();
    for (bytes, expected) in [
        (Some(&b"one"[..]), Ok("one")),
        (Some(b""), Err(SecretErrorKind::Empty)),
        (None, Err(SecretErrorKind::NotFound)),
        (Some(b"two"), Ok("two")),
    ] {
        match bytes {
            Some(bytes) => dir.write("token", bytes),
            None => fs::remove_file(dir.0.join("token")).unwrap(),
        }
        let fetched = dir.fetch("token").await;
        let found = fetched.as_ref().map(|fetched| shown(fetched)[0].1);
        assert_eq!(found.map_err(SecretError::kind), expected);
    }
}
