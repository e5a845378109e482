import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * One thread, many keep-alive connections, HTTP/1.1 with Content-Length: a load that costs little
 * beside what it measures. Closed (rate 0), each connection asks again as soon as it is answered;
 * open, requests fall due at a fixed rate whatever the answers do, and a latency counts from when a
 * request was due, not from when a connection was free (no coordinated omission).
 *
 * @param clients one per connection
 * @param seconds for how long requests are sent
 * @param rate requests per second, 0 for as fast as it goes
 */
record Load(List<Load.Client> clients, double seconds, double rate) {
  private static final long PATIENCE_NANOS = 10_000_000_000L;

  /** What one connection sends next, and what it makes of the answer. */
  interface Client {
    byte[] next();

    default void answered(String head, String body) {}
  }

  /** Good answers per second, latencies in microseconds, and how many were no 2xx. */
  record Result(double perSecond, long[] micros, int failures) {
    double percentile(double share) {
      return micros.length == 0 ? 0 : micros[(int) Math.min(micros.length - 1, share * micros.length)];
    }
  }

  /** Closed loads that go on in the background until they are closed. */
  interface Crowd extends AutoCloseable {}

  static Crowd crowd(int port, List<Client> clients) throws InterruptedException {
    var load = new Load(clients, 0.25, 0);
    var running = new java.util.concurrent.atomic.AtomicBoolean(true);
    var first = new java.util.concurrent.CountDownLatch(1);
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              try {
                while (running.get()) {
                  load.run(port);
                  first.countDown();
                }
              } catch (IOException failure) {
                System.err.println(failure);
                first.countDown();
              }
            });
    first.await();
    return () -> {
      running.set(false);
      thread.join();
    };
  }

  Result run(int port) throws IOException {
    try (Selector selector = Selector.open()) {
      var running = new Running(selector);
      for (Client client : clients) {
        running.connect(port, client);
      }
      try {
        return running.run();
      } finally {
        for (SelectionKey key : selector.keys()) {
          key.channel().close();
        }
      }
    }
  }

  private static final class Connection {
    final Client client;
    final SocketChannel channel;
    final ByteBuffer in = ByteBuffer.allocate(16_384);
    long due;

    Connection(Client client, SocketChannel channel) {
      this.client = client;
      this.channel = channel;
    }
  }

  /** One run: what is free, what is sent, what came back. */
  private final class Running {
    private final Selector selector;
    private final Deque<Connection> free = new ArrayDeque<>();
    private long start;
    private long end;
    private long[] micros = new long[1 << 16];
    private int count;
    private int failures;
    private long sent;
    private int busy;

    Running(Selector selector) {
      this.selector = selector;
    }

    void connect(int port, Client client) throws IOException {
      SocketChannel channel =
          SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      channel.socket().setTcpNoDelay(true);
      channel.configureBlocking(false);
      var connection = new Connection(client, channel);
      channel.register(selector, SelectionKey.OP_READ, connection);
      free.add(connection);
    }

    /** The time begins when all are connected: to connect is no request. */
    Result run() throws IOException {
      start = System.nanoTime();
      end = start + (long) (seconds * 1e9);
      while (true) {
        sendWhatIsDue();
        long now = System.nanoTime();
        if (now >= end && (busy == 0 || now > end + PATIENCE_NANOS)) {
          break;
        }
        await(now);
        for (SelectionKey key : selector.selectedKeys()) {
          read((Connection) key.attachment());
        }
        selector.selectedKeys().clear();
      }
      failures += busy; // never answered
      double taken = (System.nanoTime() - start) / 1e9;
      long[] sorted = Arrays.copyOf(micros, count);
      Arrays.sort(sorted);
      return new Result((count - failures) / taken, sorted, failures);
    }

    private long nextDue() {
      return start + (long) (sent * 1e9 / rate);
    }

    private void sendWhatIsDue() throws IOException {
      long now = System.nanoTime();
      while (now < end && !free.isEmpty()) {
        long due = rate == 0 ? now : nextDue();
        if (due > now) {
          return;
        }
        Connection connection = free.poll();
        connection.due = due;
        connection.channel.write(ByteBuffer.wrap(connection.client.next()));
        sent++;
        busy++;
        now = System.nanoTime();
      }
    }

    private void await(long now) throws IOException {
      if (rate == 0 || now >= end || free.isEmpty()) {
        selector.select(100);
        return;
      }
      long millis = (nextDue() - now) / 1_000_000;
      if (millis > 0) {
        selector.select(millis);
      } else {
        selector.selectNow();
      }
    }

    private void read(Connection connection) throws IOException {
      if (connection.channel.read(connection.in) < 0) {
        throw new IOException("the service closed a connection");
      }
      String text =
          new String(connection.in.array(), 0, connection.in.position(), StandardCharsets.ISO_8859_1);
      int head = text.indexOf("\r\n\r\n");
      if (head < 0 || text.length() < head + 4 + length(text, head)) {
        return;
      }
      connection.in.clear();
      busy--;
      if (!text.startsWith("HTTP/1.1 2")) {
        failures++;
      }
      connection.client.answered(text.substring(0, head), text.substring(head + 4));
      if (count == micros.length) {
        micros = Arrays.copyOf(micros, count * 2);
      }
      micros[count++] = (System.nanoTime() - connection.due) / 1_000;
      free.add(connection);
    }
  }

  private static int length(String text, int head) {
    int at = text.indexOf("Content-Length: ");
    return at < 0 || at > head ? 0 : Integer.parseInt(text, at + 16, text.indexOf('\r', at), 10);
  }
}
