package org.authservice.database;

import io.micrometer.core.instrument.MeterRegistry;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code LISTEN} on a connection of its own, which is made again whenever it is lost. After five
 * silent seconds the server is asked whether it is still there.
 */
final class PostgresListener implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PostgresListener.class);
  private static final int SILENCE_MILLIS = 5_000;
  private static final long PAUSE_NANOS = 1_000_000_000L;

  private final PostgresServer server;
  private final List<Channel> channels;
  private final AtomicInteger listening;
  private final Thread thread;
  private volatile boolean closed;
  private volatile @Nullable Connection current;

  PostgresListener(PostgresServer server, List<Channel> channels, MeterRegistry meters) {
    this.server = server;
    this.channels = channels;
    this.listening = meters.gauge("auth.database.listening", new AtomicInteger());
    this.thread = Thread.ofVirtual().name("listener").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    Connection connection = current;
    if (connection != null) {
      try {
        connection.abort(Runnable::run); // a close would wait for the silence to end
      } catch (SQLException gone) {
        log.debug("the listening connection was gone", gone);
      }
    }
  }

  private void run() {
    boolean told = false;
    while (!closed) {
      try (Connection connection =
              DriverManager.getConnection(server.url(), server.forListening());
          var statement = connection.createStatement()) {
        current = connection;
        statement.execute(
            channels.stream().map(it -> "LISTEN " + it.name()).collect(Collectors.joining(";")));
        listening.set(1);
        told = false;
        hear(connection);
      } catch (SQLException failure) {
        if (!told && !closed) {
          log.warn("not listening: {}", Failures.firstLine(failure));
          told = true;
        }
      } finally {
        listening.set(0);
        current = null;
      }
      if (!closed) {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  private void hear(Connection connection) throws SQLException {
    PGConnection postgres = connection.unwrap(PGConnection.class);
    while (!closed) {
      PGNotification[] notifications = postgres.getNotifications(SILENCE_MILLIS);
      if (notifications == null || notifications.length == 0) {
        try (var probe = connection.createStatement()) {
          probe.execute("SELECT 1");
        }
        continue;
      }
      for (PGNotification notification : notifications) {
        tell(notification.getName(), notification.getParameter());
      }
    }
  }

  private void tell(String name, String text) {
    for (Channel channel : channels) {
      if (channel.name().equals(name)) {
        tell(channel, text);
      }
    }
  }

  private static void tell(Channel channel, String text) {
    try {
      channel.heard().accept(text);
    } catch (RuntimeException failure) {
      log.error("what was heard on {} was not understood", channel.name(), failure);
    }
  }
}
