package org.authservice.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A port for something that must be told one before it starts. It lies below those that the kernel
 * gives to connections, so that none takes it meanwhile.
 */
public final class FreePort {
  private static final int LOWEST = 11_000;
  private static final int END = 31_000;

  private FreePort() {}

  /** One on which nobody listens. */
  public static int find() {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(LOWEST, END);
      try (var socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (IOException taken) {
        continue;
      }
    }
  }
}
