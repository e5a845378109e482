package org.authservice.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Stands between the service and something it needs, and does what networks do. */
public final class TcpProxy implements AutoCloseable {
  private final int target;
  private final ServerSocket listener;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition thawed = lock.newCondition();
  private volatile boolean frozen;
  private volatile boolean cut;
  private volatile @Nullable String lastWords;

  /** A proxy to a port of this machine. */
  public TcpProxy(int target) {
    this.target = target;
    try {
      listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    Thread.ofVirtual().name("proxy").start(this::accept);
  }

  /** Where to connect instead. */
  public int port() {
    return listener.getLocalPort();
  }

  /** Closes all connections and every new one at once. */
  public void cut() {
    cut = true;
    closeAll();
  }

  /** Passes new connections again. */
  public void restore() {
    cut = false;
    lastWords = null;
  }

  /** Passes nothing more, but keeps every connection open. */
  public void freeze() {
    frozen = true;
  }

  /** Goes on passing. */
  public void thaw() {
    lock.lock();
    try {
      frozen = false;
      thawed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Passes what holds this text, and cuts before anything comes back. */
  public void cutAfter(String words) {
    lastWords = words;
  }

  @Override
  public void close() {
    try {
      listener.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    cut();
    thaw();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        if (cut) {
          client.close();
          continue;
        }
        Socket server = new Socket();
        server.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), target));
        open.add(client);
        open.add(server);
        Thread.ofVirtual().start(() -> pump(client, server, true));
        Thread.ofVirtual().start(() -> pump(server, client, false));
      } catch (IOException closedOrRefused) {
        // The client sees it as a closed connection.
      }
    }
  }

  private void pump(Socket from, Socket to, boolean fromClient) {
    byte[] buffer = new byte[16_384];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
        awaitThaw();
        String words = lastWords;
        boolean last =
            words != null
                && fromClient
                && new String(buffer, 0, count, StandardCharsets.ISO_8859_1).contains(words);
        if (last) {
          from.close();
        }
        out.write(buffer, 0, count);
        if (last) {
          cut();
        }
      }
    } catch (IOException closed) {
      // Both ends close.
    } finally {
      open.remove(from);
      open.remove(to);
    }
  }

  private void awaitThaw() {
    lock.lock();
    try {
      while (frozen) {
        thawed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  private void closeAll() {
    for (Socket socket : open) {
      try {
        socket.close();
      } catch (IOException closed) {
        // It is what was wanted.
      }
    }
  }
}
