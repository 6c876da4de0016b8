//! The switch that ends a process in good order.

use tokio::sync::watch;

/// Throws the switch; dropping it throws it as well.
#[derive(Debug)]
pub struct ShutdownSwitch(watch::Sender<bool>);

/// Sees the switch being thrown.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// A switch and what watches it.
pub fn shutdown() -> (ShutdownSwitch, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (ShutdownSwitch(sender), Shutdown(receiver))
}

impl ShutdownSwitch {
    /// Asks all listeners to drain.
    pub fn throw(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Returns once the switch is thrown; at once if it was.
    pub async fn requested(&mut self) {
        // An error says that the switch is gone: nobody could ever throw it.
        let _ = self.0.wait_for(|thrown| *thrown).await;
    }

    /// Whether the switch is thrown.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }
}
