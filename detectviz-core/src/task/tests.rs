use super::*;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_task_that_ignores_cancellation_is_named() {
    let tasks = Tasks::new();
    tasks.spawn("deaf", std::future::pending::<()>());
    tasks.cancel();
    let stuck = tasks.join(SOON).await.unwrap_err();
    assert_eq!(stuck.names(), ["deaf"]);
    assert_eq!(stuck.to_string(), "still running: deaf (1)");
}

#[tokio::test(start_paused = true)]
async fn a_parent_waits_for_its_children_and_a_child_not_for_its_parent() {
    let root = Tasks::new();
    let child = root.child();
    let token = child.token();
    root.spawn("parent's", std::future::pending::<()>());
    child.spawn("child's", async move { token.cancelled().await });
    assert_eq!((root.len(), child.len()), (2, 1));
    child.cancel();
    child.join(SOON).await.unwrap();
    assert!(!root.token().is_cancelled());
    assert_eq!(root.join(SOON).await.unwrap_err().names(), ["parent's"]);
}

#[tokio::test]
async fn a_panicking_task_is_no_longer_counted() {
    let tasks = Tasks::new();
    let join = tasks.spawn("panics", async { panic!("on purpose") });
    assert!(join.await.unwrap_err().is_panic());
    tasks.join(SOON).await.unwrap();
}

#[tokio::test]
async fn a_task_works_for_the_runtime_of_its_set() {
    let (one, two) = (Tasks::new(), Tasks::new());
    let seen = one.spawn("one", async { RuntimeId::current() });
    assert_eq!(seen.await.unwrap(), Some(one.runtime()));
    let seen = two.spawn_blocking("two", RuntimeId::current);
    assert_eq!(seen.await.unwrap(), Some(two.runtime()));
    assert_eq!(RuntimeId::current(), None);
}
