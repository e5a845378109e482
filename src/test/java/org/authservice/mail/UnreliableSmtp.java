package org.authservice.mail;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/** A mail server on plain sockets that misbehaves as a test wants it to. */
final class UnreliableSmtp implements AutoCloseable {
  /** How it treats whoever comes. */
  enum Mood {
    /** Takes every mail. */
    FINE,
    /** Closes every connection at once. */
    HANGS_UP,
    /** Never greets. */
    SILENT,
    /** Takes every mail, but greets nobody until its mood is another. */
    GREETS_LATE,
    /** Greets, and never answers to a recipient. */
    TARPIT,
    /** Greets a byte at a time, without end. */
    DRIPS,
    /** Puts every recipient off. */
    PUTS_OFF,
    /** Refuses every mail for good after it was sent. */
    REFUSES,
    /** Knows none of the recipients. */
    KNOWS_NOBODY,
    /** Takes the mail, and resets the connection instead of saying so. */
    RESETS_AFTER_DATA,
    /** Offers TLS, and then will not. */
    REFUSES_TLS
  }

  /** A mail that it has whole. */
  record Taken(String id, String recipient, String subject, Instant at, Mood mood) {}

  /** Which part of the conversation TLS protects. */
  enum Tls {
    NONE,
    STARTTLS,
    FROM_THE_START
  }

  final List<Taken> taken = new CopyOnWriteArrayList<>();
  final BlockingQueue<String> news = new LinkedBlockingQueue<>();
  final AtomicInteger connections = new AtomicInteger();
  final AtomicInteger recipients = new AtomicInteger();
  volatile Mood mood = Mood.FINE;

  private final Clock clock;
  private final Tls tls;
  private final Optional<SSLContext> certificates;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private volatile ServerSocket listener;

  UnreliableSmtp(Clock clock) {
    this(clock, Tls.NONE, Optional.empty());
  }

  UnreliableSmtp(Clock clock, Tls tls, Optional<SSLContext> certificates) {
    this.clock = clock;
    this.tls = tls;
    this.certificates = certificates;
    this.listener = listen(0);
  }

  int port() {
    return listener.getLocalPort();
  }

  /** Refuses connections, and drops those there are. */
  void goDown() {
    try {
      listener.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    hangUp();
  }

  /** Listens again where it did. */
  void comeUp() {
    listener = listen(listener.getLocalPort());
  }

  /** Drops every connection. */
  void hangUp() {
    for (Socket socket : open) {
      closeQuietly(socket);
    }
  }

  /** Waits for what happens next: {@code taken}, {@code waits} or {@code TLS failed}. */
  @Nullable String awaitNews() {
    try {
      return news.poll(30, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  @Override
  public void close() {
    closed.countDown();
    goDown();
  }

  private ServerSocket listen(int port) {
    try {
      var server = new ServerSocket();
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 200);
      Thread.ofVirtual().name("smtp").start(() -> accept(server));
      return server;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private void accept(ServerSocket server) {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        open.add(client);
        connections.incrementAndGet();
        Thread.ofVirtual().name("smtp-session").start(() -> serve(client));
      } catch (IOException down) {
        return;
      }
    }
  }

  private void serve(Socket client) {
    try (client) {
      Socket socket = tls == Tls.FROM_THE_START ? secured(client) : client;
      if (greet(socket)) {
        converse(socket);
      }
    } catch (IOException gone) {
      // Whoever was there has gone, or was thrown out.
    } finally {
      open.remove(client);
    }
  }

  private Socket secured(Socket client) throws IOException {
    var socket =
        (SSLSocket)
            certificates.orElseThrow().getSocketFactory().createSocket(client, null, 0, true);
    socket.setUseClientMode(false);
    try {
      socket.startHandshake();
    } catch (IOException refused) {
      news.add("TLS failed");
      throw refused;
    }
    return socket;
  }

  private boolean greet(Socket client) throws IOException {
    switch (mood) {
      case HANGS_UP -> {
        return false;
      }
      case SILENT -> {
        awaitOtherMood(Mood.SILENT);
        return false;
      }
      case GREETS_LATE -> {
        news.add("waits");
        awaitOtherMood(Mood.GREETS_LATE);
        reply(client, "220 ready at last");
        return true;
      }
      case DRIPS -> {
        do {
          client.getOutputStream().write('2');
        } while (!awaitOtherMood(Mood.DRIPS, 200));
        return false;
      }
      default -> {
        reply(client, "220 ready");
        return true;
      }
    }
  }

  private void converse(Socket client) throws IOException {
    var in =
        new BufferedReader(
            new InputStreamReader(client.getInputStream(), StandardCharsets.US_ASCII));
    String recipient = "";
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.startsWith("EHLO")) {
        boolean offered = tls == Tls.STARTTLS && !(client instanceof SSLSocket);
        reply(client, offered ? "250-here\r\n250 STARTTLS" : "250 here");
      } else if (line.startsWith("STARTTLS")) {
        if (mood == Mood.REFUSES_TLS) {
          reply(client, "454 4.7.0 not now");
          news.add("TLS failed");
          continue;
        }
        reply(client, "220 go on");
        converse(secured(client));
        return;
      } else if (line.startsWith("RCPT TO:<")) {
        recipient = line.substring(9, line.indexOf('>'));
        recipients.incrementAndGet();
        reply(client, answerToRecipient());
      } else if (line.startsWith("DATA")) {
        reply(client, "354 go on");
        if (!take(client, in, recipient)) {
          return;
        }
      } else {
        reply(client, line.startsWith("QUIT") ? "221 bye" : "250 fine");
      }
    }
  }

  private String answerToRecipient() throws IOException {
    return switch (mood) {
      case PUTS_OFF -> "451 4.7.1 later";
      case KNOWS_NOBODY -> "550 5.1.1 nobody";
      case TARPIT -> {
        awaitOtherMood(Mood.TARPIT);
        throw new IOException("nobody answers");
      }
      default -> "250 fine";
    };
  }

  /** Reads a mail; false when the connection ends with it. */
  private boolean take(Socket client, BufferedReader in, String recipient) throws IOException {
    String id = "";
    String subject = "";
    for (String line = in.readLine(); !".".equals(line); line = in.readLine()) {
      if (line == null) {
        throw new IOException("cut off");
      }
      if (id.isEmpty() && line.startsWith("Message-ID: <")) {
        id = line.substring(13, line.indexOf('@'));
      } else if (subject.isEmpty() && line.startsWith("Subject: ")) {
        subject = line.substring(9);
      }
    }
    Mood now = mood;
    if (now == Mood.REFUSES) {
      reply(client, "554 5.7.1 not like this");
      return true;
    }
    taken.add(new Taken(id, recipient, subject, clock.instant(), now));
    news.add("taken");
    if (now == Mood.RESETS_AFTER_DATA) {
      client.setSoLinger(true, 0);
      return false;
    }
    reply(client, "250 taken");
    return true;
  }

  private void awaitOtherMood(Mood present) {
    while (!awaitOtherMood(present, 50)) {
      // as long as it lasts
    }
  }

  private boolean awaitOtherMood(Mood present, long millis) {
    try {
      return closed.await(millis, TimeUnit.MILLISECONDS) || mood != present;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  private static void reply(Socket client, String text) throws IOException {
    client.getOutputStream().write((text + "\r\n").getBytes(StandardCharsets.US_ASCII));
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException closedAlready) {
      // It is what was wanted.
    }
  }
}
