//! The task that takes readings, on a paused clock.
use super::{super::source::System, *};
use crate::task::Tasks;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tokio::time::{advance, sleep};

/// A directory that stands for `/`, with a control group that may use 1000 bytes.
struct Root(PathBuf);

impl Root {
    fn new(name: &str, used: u64) -> Self {
        let name = format!("detectviz-shed-{name}-{}", std::process::id());
        let root = Self(std::env::temp_dir().join(name));
        root.write("proc/self/cgroup", "0::/\n");
        root.write("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
        root.write("sys/fs/cgroup/memory.max", "1000\n");
        root.write("sys/fs/cgroup/cpu.max", "200000 100000\n");
        root.uses(used);
        root
    }

    fn uses(&self, used: u64) {
        self.write("sys/fs/cgroup/memory.current", &format!("{used}\n"));
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn started(config: ShedConfig, root: &Path) -> (Shedder, Tasks) {
    let shedder = Shedder::new(config, &Registry::new());
    let tasks = Tasks::new();
    shedder.start(&tasks, root);
    (shedder, tasks)
}

/// Time passes in steps of which the executor sees only the ends.
async fn stalled(step: Duration, steps: u32) {
    for _ in 0..steps {
        advance(step).await;
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_executor_that_is_always_late_sheds_and_recovers() {
    let only_delay = ShedConfig::default().cpu(None).memory(None);
    let (shedder, tasks) = started(only_delay, Path::new("/does/not/exist"));
    sleep(ms(500)).await;
    assert!(!shedder.is_shedding());
    stalled(ms(150), 3).await;
    assert!(shedder.is_shedding());
    assert_eq!(shedder.verdict().reason, Some(ShedReason::QueueDelay));
    assert_eq!(shedder.readings().queue_delay, Some(ms(129)));
    assert!(shedder.admit(Priority::Sheddable, 0).is_err());
    assert!(shedder.admit(Priority::Critical, 0).is_ok());
    sleep(ms(4200)).await;
    assert!(!shedder.is_shedding());
    tasks.cancel();
    tasks.join(ms(100)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_burst_that_has_passed_within_the_interval_is_no_queue() {
    let (shedder, _tasks) = started(
        ShedConfig::default().cpu(None),
        Path::new("/does/not/exist"),
    );
    sleep(ms(205)).await;
    for _ in 0..10 {
        stalled(ms(60), 1).await;
        sleep(ms(140)).await;
        assert!(!shedder.is_shedding(), "{:?}", shedder.readings());
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_waited_count_as_delay() {
    let (shedder, _tasks) = started(
        ShedConfig::default().cpu(None),
        Path::new("/does/not/exist"),
    );
    for _ in 0..20 {
        for waited in [400, 90, 200] {
            shedder.queued(ms(waited));
        }
        sleep(ms(105)).await;
    }
    assert_eq!(shedder.readings().queue_delay, Some(ms(90)));
    assert!(shedder.is_shedding());
}

#[tokio::test(start_paused = true)]
async fn memory_near_its_limit_sheds_until_it_is_freed() {
    let root = Root::new("memory", 900);
    let config = ShedConfig::default().cpu(None).queue_delay(None);
    let (shedder, tasks) = started(config, &root.0);
    sleep(ms(1000)).await;
    assert_eq!(shedder.readings().memory, Some(0.9));
    assert!(!shedder.is_shedding());
    root.uses(990);
    sleep(ms(2500)).await;
    assert_eq!(shedder.verdict().reason, Some(ShedReason::Memory));
    assert!(shedder.verdict().drop > 0.9);
    // It ends with its tasks, and refuses nothing after that.
    tasks.cancel();
    tasks.join(ms(100)).await.unwrap();
    assert!(!shedder.is_shedding());
    let (shedder, _tasks) = started(ShedConfig::default().cpu(None), &root.0);
    sleep(ms(1000)).await;
    assert!(shedder.is_shedding());
    root.uses(500);
    sleep(ms(8000)).await;
    assert!(!shedder.is_shedding());
}

#[tokio::test(start_paused = true)]
async fn a_change_of_settings_holds_from_the_next_reading_on() {
    let root = Root::new("live", 800);
    let config = ShedConfig::default().cpu(None).queue_delay(None);
    let (shedder, _tasks) = started(config.clone(), &root.0);
    sleep(ms(500)).await;
    assert!(!shedder.is_shedding());
    shedder.reconfigure(&config.clone().memory(Some(0.7)));
    sleep(ms(150)).await;
    assert!(shedder.is_shedding());
    shedder.reconfigure(&config.memory(None));
    sleep(ms(150)).await;
    assert!(!shedder.is_shedding());
}

#[test]
fn cpu_time_is_a_share_of_the_quota() {
    let root = Root::new("cpu", 0);
    let mut system = System::new(root.0.clone());
    let begun = Instant::now();
    assert_eq!(system.cpu(begun), None);
    let mut sum = 0_u64;
    while begun.elapsed() < ms(30) {
        sum = std::hint::black_box(sum.wrapping_add(1));
    }
    // Of two CPUs, one thread used at most one; other tests of the process may run beside it.
    let share = system.cpu(Instant::now()).unwrap();
    assert!(share > 0.0, "{share}");
    assert!(system.memory(0.9).is_some());
    assert_eq!(System::new("/does/not/exist".into()).memory(0.9), None);
}
