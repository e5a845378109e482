package org.authservice.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;

/** A plain connection to the service, to send what no client library would. */
public final class RawConnection implements AutoCloseable {
  private final Socket socket;

  /** Connects to that port of this machine. */
  public RawConnection(int port) {
    try {
      socket = new Socket("127.0.0.1", port);
      socket.setSoTimeout(20_000);
      socket.setTcpNoDelay(true);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Sends text as it stands. */
  public RawConnection send(String text) {
    try {
      socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().flush();
      return this;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Sends a byte; false when the other side has closed. */
  public boolean drip() {
    try {
      socket.getOutputStream().write('a');
      socket.getOutputStream().flush();
      return true;
    } catch (IOException closed) {
      return false;
    }
  }

  /** Everything until the other side closes. */
  public String readAll() {
    try {
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    } catch (SocketTimeoutException open) {
      throw new AssertionError("the connection stays open", open);
    } catch (SocketException reset) {
      return "";
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** One answer: its head, and as much body as Content-Length says. */
  public String readAnswer() {
    try {
      InputStream in = socket.getInputStream();
      var answer = new StringBuilder();
      while (answer.indexOf("\r\n\r\n") < 0) {
        int next = in.read();
        if (next < 0) {
          return answer.toString();
        }
        answer.append((char) next);
      }
      int length = length(answer.toString());
      answer.append(new String(in.readNBytes(length), StandardCharsets.ISO_8859_1));
      return answer.toString();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static int length(String head) {
    for (String line : head.split("\r\n")) {
      if (line.toLowerCase(java.util.Locale.ROOT).startsWith("content-length:")) {
        return Integer.parseInt(line.substring(line.indexOf(':') + 1).strip());
      }
    }
    return 0;
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
