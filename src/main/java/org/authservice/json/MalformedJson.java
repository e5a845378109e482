package org.authservice.json;

/** The text is not one JSON value; the message says where and why, and quotes nothing of it. */
public final class MalformedJson extends Exception {
  private static final long serialVersionUID = 1L;

  MalformedJson(String message) {
    super(message);
  }
}
