//! Ends the process when the orderly way down is stuck.
use super::{Phase, PhaseWatch, Signals};
use crate::{error::ErrorKind, task::Tasks};
use std::{io, sync::mpsc, time::Duration};
use tokio::{runtime, time::sleep};
use tokio_util::sync::CancellationToken;

/// A thread that ends the process at most 1 s after the grace, even when every thread of the application's runtime is
/// stuck.
///
/// The time counts from SIGTERM, SIGINT or [`Phase::PreStop`], whichever comes first, and the exit code is 75. Keep it
/// until `main` returns; dropping it disarms it.
#[derive(Debug)]
#[must_use = "dropping it disarms it"]
pub(super) struct Watchdog {
    disarm: CancellationToken,
}

/// How long after the grace the process is ended: late enough for an orderly end to come first, and soon enough to keep
/// the promise of one second.
const SLACK: Duration = Duration::from_millis(700);
/// How long a process whose runtime is stuck lives after a second signal.
const AFTER_SECOND: Duration = Duration::from_secs(1);
/// How long the last log line may take: the log may be what is stuck.
const LAST_WORDS: Duration = Duration::from_millis(100);

// === impl Watchdog ===

impl Watchdog {
    /// Starts the thread. `tasks` only say which runtime it works for: it is not among those that the end waits for.
    ///
    /// # Errors
    /// When the system refuses the thread, what it waits with, or a signal handler.
    pub(super) fn arm(grace: Duration, phase: PhaseWatch, tasks: &Tasks) -> io::Result<Self> {
        let own = Tasks::for_runtime(tasks.runtime());
        let disarm = own.token();
        let waiting = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let signals = {
            let _entered = waiting.enter();
            Signals::of_process()?
        };
        let disarmed = disarm.clone();
        let last_words = own.clone();
        own.spawn_thread("watchdog", move || {
            let overdue = overdue(grace, phase, signals);
            if waiting
                .block_on(disarmed.run_until_cancelled(overdue))
                .is_some()
            {
                end_process(&last_words);
            }
        })?;
        Ok(Self { disarm })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.disarm.cancel();
    }
}

/// Returns when the process should long have ended.
async fn overdue(grace: Duration, phase: PhaseWatch, mut signals: Signals) {
    let told = CancellationToken::new();
    let late = async {
        tokio::select! {
            () = told.cancelled() => {}
            () = phase.reached(Phase::PreStop) => {}
        }
        sleep(grace.saturating_add(SLACK)).await;
    };
    let impatient = async {
        signals.recv().await;
        told.cancel();
        signals.recv().await;
        sleep(AFTER_SECOND).await;
    };
    tokio::select! {
        () = late => {}
        () = impatient => {}
    }
}

fn end_process(tasks: &Tasks) {
    let (said, heard) = mpsc::channel();
    let spoken = tasks.spawn_thread("watchdog-log", move || {
        tracing::error!("the shutdown is stuck: ending the process");
        // Nobody hears it when it took too long.
        let _late = said.send(());
    });
    if spoken.is_ok() {
        let _late = heard.recv_timeout(LAST_WORDS);
    }
    #[expect(
        clippy::disallowed_methods,
        clippy::exit,
        reason = "`main` cannot return while its runtime is stuck, and the kubelet would kill without an exit code of ours"
    )]
    std::process::exit(i32::from(ErrorKind::DrainDeadline.exit_code()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::{PhaseControl, Signal};
    use tokio::time::Instant;

    const GRACE: Duration = Duration::from_secs(28);

    #[tokio::test(start_paused = true)]
    async fn the_process_is_overdue_within_a_second_of_the_grace_whatever_told_it_to_end() {
        for by_signal in [true, false] {
            let control = PhaseControl::new();
            let (sender, signals) = Signals::manual();
            let begun = Instant::now();
            if by_signal {
                sender.send(Signal::Terminate);
            }
            // In both cases; a signal that arrives here after the phase is still the first one.
            control.advance(Phase::PreStop);
            overdue(GRACE, control.watch(), signals).await;
            let took = begun.elapsed();
            assert!(
                took > GRACE && took + LAST_WORDS < GRACE + Duration::from_secs(1),
                "{took:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_ends_a_stuck_process_soon() {
        let control = PhaseControl::new();
        let (sender, signals) = Signals::manual();
        let begun = Instant::now();
        sender.send(Signal::Interrupt);
        sender.send(Signal::Interrupt);
        overdue(GRACE, control.watch(), signals).await;
        assert_eq!(begun.elapsed(), AFTER_SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_overdue_while_nobody_asked_for_an_end() {
        let control = PhaseControl::new();
        control.advance(Phase::Serving);
        let (_sender, signals) = Signals::manual();
        let day = Duration::from_secs(86_400);
        let waited = tokio::time::timeout(day, overdue(GRACE, control.watch(), signals)).await;
        assert!(waited.is_err());
    }

    #[test]
    fn a_dropped_watchdog_lets_its_thread_end() {
        let tasks = Tasks::new();
        let watchdog = Watchdog::arm(GRACE, PhaseControl::new().watch(), &tasks).unwrap();
        let disarm = watchdog.disarm.clone();
        drop(watchdog);
        assert!(disarm.is_cancelled());
        assert!(tasks.is_empty(), "the end does not wait for the watchdog");
    }
}
