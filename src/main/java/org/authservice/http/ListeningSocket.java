package org.authservice.http;

import java.io.IOException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.eclipse.jetty.io.ManagedSelector;
import org.eclipse.jetty.io.SelectorManager;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.IO;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket that listens, so closed that hardly any connection is lost with it. The system makes
 * connections before a program takes them, and a client may have sent its request on one by then:
 * to close the socket resets it, and a proxy may not send that request to another node. So what
 * waits is taken just before, and the end is told to connections only when all of them are set up.
 */
final class ListeningSocket extends ServerConnector {
  private static final Logger log = LoggerFactory.getLogger(ListeningSocket.class);
  private static final long LONGEST_SETUP_NANOS = Duration.ofSeconds(1).toNanos();

  private final Set<SelectableChannel> beingSetUp = ConcurrentHashMap.newKeySet();

  /**
   * Takes connections on the thread that selects, which is how they can be taken without waiting.
   */
  ListeningSocket(Server server, HttpConfiguration protocol) {
    super(server, 0, 1, new HttpConnectionFactory(protocol));
    addBean(
        new SelectorManager.AcceptListener() {
          @Override
          public void onAccepting(SelectableChannel channel) {
            beingSetUp.add(channel);
          }

          @Override
          public void onAccepted(SelectableChannel channel) {
            beingSetUp.remove(channel);
          }

          @Override
          public void onAcceptFailed(SelectableChannel channel, Throwable cause) {
            beingSetUp.remove(channel);
          }
        });
  }

  @Override
  public void close() {
    if (isRunning() && getTransport() instanceof ServerSocketChannel socket && socket.isOpen()) {
      closeWhereConnectionsAreTaken(socket);
      super.close();
      awaitSetup();
    } else {
      super.close();
    }
  }

  /**
   * On the thread that selects: closed by another while it takes connections, Jetty closes the one
   * that it has just taken.
   */
  private void closeWhereConnectionsAreTaken(ServerSocketChannel socket) {
    var done = new CountDownLatch(1);
    getSelectorManager()
        .getBean(ManagedSelector.class)
        .submit(_ -> {
          takeWhatWaits(socket);
          IO.close(socket);
          done.countDown();
        });
    try {
      if (!done.await(LONGEST_SETUP_NANOS, TimeUnit.NANOSECONDS)) {
        log.warn("connections may be lost with the listening socket: it is closed while in use");
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void takeWhatWaits(ServerSocketChannel socket) {
    try {
      for (SocketChannel next = socket.accept(); next != null; next = socket.accept()) {
        next.configureBlocking(false);
        configure(next.socket());
        getSelectorManager().accept(next);
      }
    } catch (IOException failure) {
      log.warn("a connection was lost with the listening socket", failure);
    }
  }

  private void awaitSetup() {
    long deadline = System.nanoTime() + LONGEST_SETUP_NANOS;
    while (!beingSetUp.isEmpty() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(100_000);
    }
  }
}
