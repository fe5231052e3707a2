"""What people look at: tables for the terminal and for papers, and the HTML report."""
