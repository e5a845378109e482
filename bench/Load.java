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
 */
final class Load {
  /** What one connection sends next, and what it makes of the answer. */
  interface Client {
    byte[] next();

    default void answered(String head, String body) {}
  }

  /** Requests per second, and latencies in microseconds. */
  record Result(double perSecond, long[] micros, int failures) {
    double percentile(double share) {
      return micros.length == 0 ? 0 : micros[(int) Math.min(micros.length - 1, share * micros.length)];
    }
  }

  private static final class Connection {
    final Client client;
    final SocketChannel channel;
    final ByteBuffer in = ByteBuffer.allocate(16_384);
    long due;
    boolean busy;

    Connection(Client client, SocketChannel channel) {
      this.client = client;
      this.channel = channel;
    }
  }

  private Load() {}

  /** Runs for so many seconds, rate 0 for as fast as it goes; 503 and other errors are failures. */
  static Result run(int port, List<? extends Client> clients, double seconds, double rate)
      throws IOException {
    try (Selector selector = Selector.open()) {
      List<Connection> connections = new ArrayList<>();
      for (Client client : clients) {
        SocketChannel channel =
            SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        channel.socket().setTcpNoDelay(true);
        channel.configureBlocking(false);
        var connection = new Connection(client, channel);
        channel.register(selector, SelectionKey.OP_READ, connection);
        connections.add(connection);
      }
      long start = System.nanoTime();
      long end = start + (long) (seconds * 1e9);
      long[] micros = new long[1 << 16];
      int count = 0;
      int failures = 0;
      Deque<Connection> free = new ArrayDeque<>(connections);
      long sent = 0;
      int busy = 0;
      while (true) {
        long now = System.nanoTime();
        while (now < end && !free.isEmpty()) {
          long due = rate == 0 ? now : start + (long) (sent * 1e9 / rate);
          if (due > now) {
            break;
          }
          Connection connection = free.poll();
          connection.due = due;
          connection.channel.write(ByteBuffer.wrap(connection.client.next()));
          sent++;
          busy++;
          now = System.nanoTime();
        }
        if (now >= end && (busy == 0 || now > end + 10_000_000_000L)) {
          break;
        }
        if (rate == 0 || now >= end || free.isEmpty()) {
          selector.select(100);
        } else {
          long wait = start + (long) (sent * 1e9 / rate) - now;
          if (wait > 1_000_000) {
            selector.select(wait / 1_000_000);
          } else {
            selector.selectNow();
          }
        }
        for (SelectionKey key : selector.selectedKeys()) {
          Connection connection = (Connection) key.attachment();
          if (connection.channel.read(connection.in) < 0) {
            throw new IOException("the service closed a connection");
          }
          String text =
              new String(
                  connection.in.array(), 0, connection.in.position(), StandardCharsets.ISO_8859_1);
          int head = text.indexOf("\r\n\r\n");
          if (head < 0 || text.length() < head + 4 + length(text, head)) {
            continue;
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
        selector.selectedKeys().clear();
      }
      double taken = (System.nanoTime() - start) / 1e9;
      for (Connection connection : connections) {
        connection.channel.close();
      }
      long[] sorted = Arrays.copyOf(micros, count);
      Arrays.sort(sorted);
      return new Result((count - failures) / taken, sorted, failures);
    }
  }

  private static int length(String text, int head) {
    int at = text.indexOf("Content-Length: ");
    if (at < 0 || at > head) {
      return 0;
    }
    return Integer.parseInt(text, at + 16, text.indexOf('\r', at), 10);
  }
}
