//! Changes of files as Kubernetes and editors make them.
use super::*;
use crate::{
    config::{tests::files::Dir, watch::FileWatch},
    task::Tasks,
};
use std::{fs, os::unix::fs::symlink, time::Duration};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);
/// Longer than any test: what is seen is seen by an event.
const NEVER: Duration = Duration::from_secs(3600);

fn watched(dir: &Dir, tasks: &Tasks) -> FileWatch {
    FileWatch::with(Sources::new().dir(dir.path()).files(), tasks, NEVER, true)
}

async fn told(watch: &mut FileWatch) {
    assert!(
        timeout(SOON, watch.changed())
            .await
            .expect("a change is told")
    );
}

/// A volume of a ConfigMap: `app_config.yaml -> ..data/app_config.yaml`, `..data -> ..1`.
fn mount(dir: &Dir, version: &str, yaml: &str) {
    let real = dir.path().join(format!("..{version}"));
    fs::create_dir(&real).unwrap();
    fs::write(real.join("app_config.yaml"), yaml).unwrap();
    let next = dir.path().join("..data_tmp");
    symlink(format!("..{version}"), &next).unwrap();
    fs::rename(next, dir.path().join("..data")).unwrap();
}

#[tokio::test]
async fn the_swap_of_a_config_map_is_told() {
    let (dir, tasks) = (Dir::new(), Tasks::new());
    mount(&dir, "1", "shop: {port: 1}");
    symlink("..data/app_config.yaml", dir.path().join("app_config.yaml")).unwrap();
    let mut watch = watched(&dir, &tasks);
    for version in ["2", "3"] {
        mount(&dir, version, &format!("shop: {{port: {version}}}"));
        told(&mut watch).await;
        let read = shop(&Sources::new().dir(dir.path())).unwrap().0;
        assert_eq!(read.port.to_string(), version);
    }
}

#[tokio::test]
async fn a_file_that_is_written_replaced_made_or_removed_is_told() {
    let (dir, tasks) = (Dir::new(), Tasks::new());
    dir.write("app_config.yaml", "a: 1");
    let mut watch = watched(&dir, &tasks);
    dir.write("app_config.yaml", "a: 2");
    told(&mut watch).await;
    dir.write("next", "a: 3");
    fs::rename(dir.path().join("next"), dir.path().join("app_config.yaml")).unwrap();
    told(&mut watch).await;
    dir.write("composition.yaml", "");
    told(&mut watch).await;
    fs::remove_file(dir.path().join("composition.yaml")).unwrap();
    told(&mut watch).await;
}

#[test]
fn only_what_changes_contents_is_a_change() {
    let dir = Dir::new();
    dir.write("app_config.yaml", "a: 1");
    let files = Sources::new().dir(dir.path()).files();
    let first = source::fingerprint(&files);
    dir.write("app_config.yaml", "a: 1");
    dir.write("other.yaml", "b");
    assert_eq!(source::fingerprint(&files), first);
    dir.write("app_config.yaml", "a: 2");
    assert_ne!(source::fingerprint(&files), first);
}

#[tokio::test]
async fn without_events_the_files_are_read_now_and_then() {
    let (dir, tasks) = (Dir::new(), Tasks::new());
    dir.write("app_config.yaml", "a: 1");
    let files = Sources::new().dir(dir.path()).files();
    let mut watch = FileWatch::with(files, &tasks, Duration::from_millis(5), false);
    dir.write("app_config.yaml", "a: 2");
    told(&mut watch).await;
}

#[tokio::test]
async fn a_directory_that_comes_later_is_watched() {
    let (dir, tasks) = (Dir::new(), Tasks::new());
    let later = dir.path().join("later");
    let mut watch = FileWatch::with(
        vec![later.join("a")],
        &tasks,
        Duration::from_millis(5),
        true,
    );
    fs::create_dir(&later).unwrap();
    fs::write(later.join("a"), "1").unwrap();
    told(&mut watch).await;
    fs::write(later.join("a"), "2").unwrap();
    told(&mut watch).await;
}

#[tokio::test]
async fn the_watching_ends_with_its_tasks_and_with_its_handle() {
    let (dir, tasks) = (Dir::new(), Tasks::new());
    dir.write("app_config.yaml", "a: 1");
    let mut watch = watched(&dir, &tasks);
    let dropped = watched(&dir, &tasks);
    assert_eq!(tasks.len(), 2);
    drop(dropped);
    tasks.cancel();
    assert!(!timeout(SOON, watch.changed()).await.unwrap());
    tasks.join(SOON).await.unwrap();
}
