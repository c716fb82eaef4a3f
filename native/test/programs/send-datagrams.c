/* send-datagrams SOCKET COUNT SIZE: sends COUNT datagrams of SIZE bytes; the first four say which one it is. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int count, char *arguments[]) {
  if (count != 4) return 2;
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  if (strlen(arguments[1]) >= sizeof address.sun_path) return 2;
  memcpy(address.sun_path, arguments[1], strlen(arguments[1]) + 1);
  const unsigned long wanted = strtoul(arguments[2], NULL, 10);
  const size_t size = strtoul(arguments[3], NULL, 10);
  unsigned char *bytes = calloc(size + 4, 1);
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (fd < 0 || !bytes) return 1;
  for (unsigned long index = 0; index < wanted; index += 1) {
    const uint32_t number = (uint32_t)index;
    memcpy(bytes, &number, sizeof number);
    if (sendto(fd, bytes, size, 0, (struct sockaddr *)&address, sizeof address) < 0) {
      perror("sendto");
      return 1;
    }
  }
  free(bytes);
  return 0;
}
