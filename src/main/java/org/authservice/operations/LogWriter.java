package org.authservice.operations;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes the log from a thread of its own: many lines, one call of the system. Nobody who logs
 * waits for what it is written to, unless very many lines wait already; no line is dropped, and
 * when it is stopped it writes what it has.
 */
final class LogWriter extends UnsynchronizedAppenderBase<ILoggingEvent> {
  private static final int MOST_WAITING = 8_192;
  private static final int MOST_PER_WRITE = 64 * 1024;

  /** For so long the first of some lines waits for those that follow it. */
  private static final long GATHERING_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private static final long STOP_MILLIS = 10_000;

  private final Lines lines;
  private final OutputStream target;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition come = lock.newCondition();
  private final Condition room = lock.newCondition();
  private final Thread thread = Thread.ofPlatform().daemon().name("log").unstarted(this::write);
  private List<ILoggingEvent> waiting = new ArrayList<>();
  private boolean idle;
  private boolean stopped;

  /** How an event becomes a line, or several. It is used by one thread only. */
  @FunctionalInterface
  interface Lines {
    /** Appends the event, line end included. */
    void append(ILoggingEvent event, LineBuffer out);
  }

  /**
   * Writes to that stream.
   *
   * @param target is given many lines at once; an error of it is told on the standard error once
   */
  LogWriter(Lines lines, OutputStream target) {
    this.lines = lines;
    this.target = target;
  }

  @Override
  public void start() {
    super.start();
    thread.start();
  }

  /** Writes what waits; then nothing more is taken. */
  @Override
  public void stop() {
    if (!isStarted()) {
      return;
    }
    super.stop();
    lock.lock();
    try {
      stopped = true;
      come.signal();
      room.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      thread.join(STOP_MILLIS); // whoever reads our output may never read again
      if (!thread.isAlive()) {
        write(); // what came while it ended
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  protected void append(ILoggingEvent event) {
    event.prepareForDeferredProcessing();
    lock.lock();
    try {
      while (waiting.size() >= MOST_WAITING && !stopped) {
        room.awaitUninterruptibly();
      }
      waiting.add(event);
      if (idle || waiting.size() == MOST_WAITING) {
        come.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  private void write() {
    var buffer = new LineBuffer();
    List<ILoggingEvent> taken = new ArrayList<>();
    boolean failed = false;
    for (taken = take(taken); !taken.isEmpty(); taken = take(taken)) {
      for (ILoggingEvent event : taken) {
        lines.append(event, buffer);
        if (buffer.length() >= MOST_PER_WRITE) {
          failed = write(buffer, failed);
        }
      }
      failed = write(buffer, failed);
    }
  }

  /** What waits, in exchange for an empty list; empty once it has stopped and nothing is left. */
  private List<ILoggingEvent> take(List<ILoggingEvent> empty) {
    empty.clear();
    lock.lock();
    try {
      while (waiting.isEmpty() && !stopped) {
        idle = true;
        come.awaitUninterruptibly();
      }
      idle = false;
      long left = GATHERING_NANOS;
      while (left > 0 && !stopped && waiting.size() < MOST_WAITING) {
        left = come.awaitNanos(left);
      }
      List<ILoggingEvent> all = waiting;
      waiting = empty;
      room.signalAll();
      return all;
    } catch (InterruptedException nobodyInterruptsIt) {
      throw new IllegalStateException(nobodyInterruptsIt);
    } finally {
      lock.unlock();
    }
  }

  private boolean write(LineBuffer buffer, boolean failedBefore) {
    try {
      target.write(buffer.bytes(), 0, buffer.length());
      target.flush();
      return false;
    } catch (IOException failure) {
      if (!failedBefore) {
        System.err.println("The log cannot be written: " + failure);
      }
      return true;
    } finally {
      buffer.clear();
    }
  }
}
