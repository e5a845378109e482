package org.authservice.mail;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands mails that are due to a few senders, one mail each: a mail that a server keeps hanging
 * holds up no other. What is leased is on its way at once, so that no lease runs out in a queue.
 */
final class Dispatch {
  private static final Logger log = LoggerFactory.getLogger(Dispatch.class);

  /** A run gives back after this, with sends perhaps under way, for the worker's heartbeat. */
  private static final Duration LONGEST_RUN = Duration.ofSeconds(30);

  private static final long LOOK_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Delivery delivery;
  private final Transport transport;
  private final Pace pace;
  private final Breaker breaker;
  private final int connections;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final AtomicBoolean waking = new AtomicBoolean();
  private int underWay;

  Dispatch(Delivery delivery, Transport transport, Pace pace, Breaker breaker, int connections) {
    this.delivery = delivery;
    this.transport = transport;
    this.pace = pace;
    this.breaker = breaker;
    this.connections = connections;
  }

  /** Sends until nothing is due and nothing is under way. */
  void run() {
    long end = System.nanoTime() + LONGEST_RUN.toNanos();
    delivery.expire();
    lock.lock();
    try {
      while (System.nanoTime() - end < 0) {
        boolean any = transport.available() && start() > 0;
        if (!any && underWay == 0) {
          transport.idle();
          return;
        }
        if (!any) {
          changed.awaitNanos(LOOK_AGAIN_NANOS);
        }
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /** Another mail was queued. Returns at once, whatever the senders do. */
  void wake() {
    if (waking.compareAndSet(false, true)) { // many at once are one
      Thread.ofVirtual().name("mail-waker").start(this::look);
    }
  }

  private void look() {
    waking.set(false);
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  int underWay() {
    return underWay;
  }

  private int start() {
    int most = Math.min(connections - underWay, pace.allowance());
    if (most <= 0 || breaker.open()) {
      return 0;
    }
    List<OutboxStore.Leased> mails = delivery.lease(most);
    pace.took(mails.size());
    for (OutboxStore.Leased mail : mails) {
      underWay++;
      Thread.ofVirtual().name("mail-sender").start(() -> send(mail));
    }
    return mails.size();
  }

  private void send(OutboxStore.Leased mail) {
    try {
      delivery.deliver(mail);
    } catch (RuntimeException failure) {
      // Its lease runs out, and then it is tried again.
      log.warn("mail {} ({}) was interrupted: {}", mail.id(), mail.template(), failure.toString());
    } finally {
      lock.lock();
      try {
        underWay--;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }
}
