# %% + after:setup
import socket

for host in ("127.0.0.1", "::1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in (22, 80, 443, 5432, 6379, 8000, 8080, 8081, 8888, *range(20700, 20800)):
        with socket.socket(family) as one:
            one.settimeout(0.2)
            try:
                one.connect((host, port))
                print("connected:", port, one.recv(100))
            except OSError:
                pass
for name in ("localhost", "example.org"):
    try:
        print("resolved", socket.create_connection((name, 80), 0.2))
    except OSError as error:
        print(type(error).__name__)
print("interfaces", socket.if_nameindex())
for path in ("/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket", "/tmp/.X11-unix/X0"):
    with socket.socket(socket.AF_UNIX) as one:
        try:
            one.connect(path)
            print("connected:", path)
        except OSError:
            pass
