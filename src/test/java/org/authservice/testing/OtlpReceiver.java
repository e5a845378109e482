package org.authservice.testing;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/**
 * What collectors of traces are: it receives spans by OTLP over HTTP and reads of their protobuf
 * what tests ask for.
 */
public final class OtlpReceiver implements AutoCloseable {
  private final HttpServer server;
  private final List<Span> spans = new CopyOnWriteArrayList<>();

  /** A span as it was received; an empty parent is none. */
  public record Span(
      String traceId, String id, String parent, String name, Map<String, String> attributes) {}

  /** Receives from now on. */
  public OtlpReceiver() {
    try {
      server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    server.createContext(
        "/v1/traces",
        exchange -> {
          byte[] body = exchange.getRequestBody().readAllBytes();
          for (byte[] resource : messages(body, 1)) {
            for (byte[] scope : messages(resource, 2)) {
              messages(scope, 2).forEach(span -> spans.add(span(span)));
            }
          }
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    server.start();
  }

  /** Where it is. */
  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Everything received so far. */
  public List<Span> spans() {
    return List.copyOf(spans);
  }

  /** Waits for a span. */
  public Span await(Predicate<Span> which) {
    long deadline = System.nanoTime() + Duration.ofSeconds(15).toNanos();
    while (System.nanoTime() < deadline) {
      for (Span span : spans) {
        if (which.test(span)) {
          return span;
        }
      }
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
    throw new AssertionError("no such span among " + spans);
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private static Span span(byte[] span) {
    Map<String, String> attributes = new TreeMap<>();
    for (byte[] attribute : messages(span, 9)) {
      byte[] value = messages(attribute, 2).getFirst();
      attributes.put(text(attribute, 1), text(value, 1));
    }
    return new Span(hex(span, 1), hex(span, 2), hex(span, 4), text(span, 5), attributes);
  }

  private static String hex(byte[] message, int field) {
    List<byte[]> values = messages(message, field);
    return values.isEmpty() ? "" : HexFormat.of().formatHex(values.getFirst());
  }

  private static String text(byte[] message, int field) {
    List<byte[]> values = messages(message, field);
    return values.isEmpty() ? "" : new String(values.getFirst(), StandardCharsets.UTF_8);
  }

  /** The length-delimited values of a field (protobuf's encoding, wire type 2). */
  private static List<byte[]> messages(byte[] message, int field) {
    List<byte[]> values = new ArrayList<>();
    ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
    while (in.hasRemaining()) {
      long tag = varint(in);
      switch ((int) (tag & 7)) {
        case 0 -> varint(in);
        case 1 -> in.getLong();
        case 5 -> in.getInt();
        case 2 -> {
          byte[] value = new byte[(int) varint(in)];
          in.get(value);
          if (tag >> 3 == field) {
            values.add(value);
          }
        }
        default -> throw new IllegalArgumentException("wire type of tag " + tag);
      }
    }
    return values;
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    int shift = 0;
    byte next;
    do {
      next = in.get();
      value |= (long) (next & 0x7f) << shift;
      shift += 7;
    } while (next < 0);
    return value;
  }
}
