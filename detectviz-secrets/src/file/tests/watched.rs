//! What a keeper makes of files.
use super::*;
use crate::keeper::{CacheConfig, Keeper};
use detectviz_core::secret::SecretsProvider;

#[tokio::test]
async fn a_watch_keeps_the_last_good_value_and_sees_the_next() {
    let dir = Dir::new();
    dir.write("token", b"one");
    let tasks = Tasks::new();
    let store = dir.config().build(&tasks);
    let provider = Keeper::new(store, CacheConfig::default(), &tasks);
    let mut watch = provider.watch(&reference("token")).await.unwrap();
    dir.write("token", b"");
    dir.write("next", b"two");
    fs::rename(dir.0.join("next"), dir.0.join("token")).unwrap();
    let next = tokio::time::timeout(Duration::from_secs(10), watch.changed())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next.value(&reference("token")).unwrap().expose(), b"two");
}
