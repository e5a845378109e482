package org.authservice.mail;

import jakarta.mail.Address;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.SocketFactory;
import org.authservice.secret.Secret;
import org.authservice.settings.MailSettings;
import org.jspecify.annotations.Nullable;

/**
 * One connection to a mail server, for one thread at a time. Each of its waits has a time-out, and
 * connecting and sending together have a deadline: a server that drips a byte now and then would
 * pass every single one.
 */
final class SmtpConnection {
  private static final String WAIT_MILLIS = "10000";
  private final Session session;
  private final Tracked sockets;
  private final jakarta.mail.Transport transport;

  private SmtpConnection(Session session, Tracked sockets) throws MessagingException {
    this.session = session;
    this.sockets = sockets;
    this.transport = session.getTransport();
  }

  /** Connects, greets and authenticates by then. */
  static SmtpConnection open(MailSettings.Smtp server, Deadline deadline)
      throws MessagingException {
    var sockets = new Tracked();
    var connection = new SmtpConnection(session(server, sockets), sockets);
    connection.by(
        deadline,
        () ->
            connection.transport.connect(
                server.host(),
                server.port(),
                server.username().orElse(null),
                server.password().map(Secret::reveal).orElse(null)));
    return connection;
  }

  /**
   * By when a mail must be handed over, in the machine's own time, as sockets are.
   *
   * @param nanos in {@link System#nanoTime()}
   */
  record Deadline(long nanos) {
    static Deadline in(Duration patience) {
      return new Deadline(System.nanoTime() + patience.toNanos());
    }

    Duration left() {
      return Duration.ofNanos(Math.max(0, nanos - System.nanoTime()));
    }
  }

  Session session() {
    return session;
  }

  /** Sends a mail by then. */
  void send(MimeMessage message, InternetAddress to, Deadline deadline) throws MessagingException {
    by(deadline, () -> transport.sendMessage(message, new Address[] {to}));
  }

  boolean alive() {
    return transport.isConnected();
  }

  void close() {
    try {
      transport.close();
    } catch (MessagingException closedAlready) {
      sockets.cut();
    }
  }

  /** Something that talks to the server. */
  private interface Talk {
    void run() throws MessagingException;
  }

  private void by(Deadline deadline, Talk talk) throws MessagingException {
    if (deadline.left().isZero()) {
      throw new MessagingException("no time is left");
    }
    var done = new CountDownLatch(1);
    Thread.ofVirtual().name("mail-deadline").start(() -> cutUnless(done, deadline));
    try {
      talk.run();
    } finally {
      done.countDown();
    }
  }

  private void cutUnless(CountDownLatch done, Deadline deadline) {
    try {
      if (!done.await(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
        sockets.cut();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static Session session(MailSettings.Smtp server, Tracked sockets) {
    String protocol = server.tls() == MailSettings.Tls.TLS ? "smtps" : "smtp";
    String prefix = "mail." + protocol + ".";
    boolean starttls = server.tls() == MailSettings.Tls.STARTTLS;
    var properties = new Properties();
    properties.setProperty("mail.transport.protocol", protocol);
    properties.setProperty(prefix + "connectiontimeout", WAIT_MILLIS);
    properties.setProperty(prefix + "timeout", WAIT_MILLIS);
    properties.setProperty(prefix + "writetimeout", WAIT_MILLIS);
    properties.setProperty(prefix + "auth", Boolean.toString(server.username().isPresent()));
    properties.setProperty(prefix + "ssl.checkserveridentity", "true");
    properties.setProperty(prefix + "starttls.enable", Boolean.toString(starttls));
    properties.setProperty(prefix + "starttls.required", Boolean.toString(starttls));
    properties.setProperty(prefix + "quitwait", "false");
    properties.put(prefix + "socketFactory", sockets);
    return Session.getInstance(properties);
  }

  /** Plain sockets, of which the newest can be closed from outside; TLS is put on top of them. */
  private static final class Tracked extends SocketFactory {
    private volatile @Nullable Socket newest;
    private volatile boolean cut;

    void cut() {
      cut = true;
      Socket socket = newest;
      if (socket != null) {
        try {
          socket.close();
        } catch (IOException closed) {
          newest = null;
        }
      }
    }

    @Override
    public Socket createSocket() throws IOException {
      var socket = new Socket();
      newest = socket;
      if (cut) {
        socket.close(); // the deadline came first
      }
      return socket;
    }

    // The library connects by itself, with its time-outs; these are not called.
    @Override
    public Socket createSocket(String host, int port) {
      throw new UncheckedIOException(new IOException(host));
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort) {
      return createSocket(host, port);
    }

    @Override
    public Socket createSocket(InetAddress host, int port) {
      return createSocket(host.getHostAddress(), port);
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
      return createSocket(host.getHostAddress(), port);
    }
  }
}
