# module: 08_shop
"""The goods of a shop, for module 09: `shop.db` holds a table `goods` of names and prices."""
