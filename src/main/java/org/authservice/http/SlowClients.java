package org.authservice.http;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.util.thread.Scheduler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes connections whose request takes too long to arrive. An idle time-out does not catch a
 * client that drips a byte now and then; this looks once a second at how long the present head or
 * body has been on its way.
 */
final class SlowClients implements Connection.Listener {
  private static final Logger log = LoggerFactory.getLogger(SlowClients.class);

  private final Duration patience;
  private final Map<Connection, Progress> connections = new ConcurrentHashMap<>();
  private final Map<EndPoint, Long> bodies = new ConcurrentHashMap<>();

  /** How far a connection's next request head has come. */
  private static final class Progress {
    private long messages;
    private long bytes;
    private long since;
  }

  /** A body that is being read; closing it says that it has arrived. */
  interface Reading extends AutoCloseable {
    @Override
    void close();
  }

  SlowClients(Duration patience) {
    this.patience = patience;
  }

  Reading reading(EndPoint endPoint) {
    bodies.put(endPoint, System.nanoTime());
    return () -> bodies.remove(endPoint);
  }

  @Override
  public void onOpened(Connection connection) {
    connections.put(connection, new Progress());
  }

  @Override
  public void onClosed(Connection connection) {
    connections.remove(connection);
  }

  /** Looks once, and again and again while the scheduler runs. */
  void sweep(Scheduler scheduler, Duration interval) {
    try {
      sweep(System.nanoTime());
    } catch (RuntimeException failure) {
      log.warn("looking for slow clients failed", failure);
    }
    if (scheduler.isRunning()) {
      scheduler.schedule(() -> sweep(scheduler, interval), interval);
    }
  }

  private void sweep(long now) {
    bodies.forEach((endPoint, since) -> {
      if (now - since > patience.toNanos()) {
        endPoint.close();
      }
    });
    connections.forEach((connection, progress) -> {
      if (headTakesTooLong(connection, progress, now)) {
        connection.getEndPoint().close();
      }
    });
  }

  /** A head is on its way when bytes have come since the last message and none is answered. */
  private boolean headTakesTooLong(Connection connection, Progress progress, long now) {
    long messages = connection.getMessagesIn();
    if (messages != progress.messages || messages > connection.getMessagesOut()) {
      progress.messages = messages;
      progress.bytes = connection.getBytesIn();
      progress.since = 0;
      return false;
    }
    if (progress.since == 0 && connection.getBytesIn() > progress.bytes) {
      progress.since = now;
    }
    return progress.since != 0 && now - progress.since > patience.toNanos();
  }
}
