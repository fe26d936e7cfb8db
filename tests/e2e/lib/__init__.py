"""What the whole-program tests, the demo and the bench share. See world.py first."""
from .guard import BUILD, ROLES, ROOT, Guard  # noqa: F401
from .tap import check, note  # noqa: F401
from .wire import ADDRESS, SIDES, Wire, netns, run  # noqa: F401
from .world import World, eventually  # noqa: F401
from .xmpp import Client, body, deliver, error_condition, local  # noqa: F401
from .frames import Port, frame  # noqa: F401
from .traffic import Echo, GuardedConnection, Transfer, datagrams  # noqa: F401
from .s2s import Stream  # noqa: F401
from .gate import Gate  # noqa: F401
